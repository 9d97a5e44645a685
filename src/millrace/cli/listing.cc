#include "millrace/cli/listing.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/base/nearest_name.h"
#include "millrace/cli/terminal.h"
#include "millrace/cli/text_table.h"

namespace millrace {

namespace {

struct ListingOptions {
  Listing listing;
  ServerFlags server;
  std::string name;
  std::string format = "table";
  bool all = false;
};

Status PrintOne(const ListingOptions& options, const boost::json::array& list) {
  std::vector<std::string> names;
  for (const auto& item : list) {
    names.push_back(TextOf(item.get_object(), "name"));
    if (names.back() == options.name) {
      terminal::Text(options.format == "json" ? boost::json::serialize(item) + "\n"
                                              : options.listing.describe(item.get_object()));
      return {};
    }
  }
  const bool is_view = options.listing.command == "views";
  const Error error(is_view ? ErrorCode::kSqlUnknownRelation : ErrorCode::kStreamNotFound,
                    fmt::format("there is no {} {}", is_view ? "view" : "stream", options.name));
  const std::string nearest = NearestName(options.name, names);
  return Err(nearest.empty() ? error : error.WithHint(fmt::format("did you mean {}?", nearest)));
}

Status Print(const ListingOptions& options) {
  HttpClient client(options.server.Take());
  MR_ASSIGN(const boost::json::array list, ReadList(client, options.listing.command));
  if (!options.name.empty()) {
    return PrintOne(options, list);
  }
  TextTable table(options.listing.header);
  boost::json::array shown;
  for (const auto& item : list) {
    if (options.all || !options.listing.is_shown || options.listing.is_shown(item.get_object())) {
      table.Add(options.listing.cells(item.get_object()));
      shown.push_back(item);
    }
  }
  terminal::Text(options.format == "json" ? boost::json::serialize(shown) + "\n"
                                          : table.ToString());
  return {};
}

}  // namespace

void AddListing(CLI::App& app, Listing listing, ChosenCommand& chosen) {
  CLI::App* command = app.add_subcommand(listing.command, listing.help);
  const auto options = std::make_shared<ListingOptions>();
  command->add_option("NAME", options->name, "Describe only this one");
  command->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  if (listing.is_shown) {
    command->add_flag("--all", options->all, "Internal ones too");
  }
  options->server.AddTo(*command);
  command->footer(listing.footer);
  options->listing = std::move(listing);
  command->callback([options, &chosen] {
    chosen = [options] {
      const Status status = Print(*options);
      return status ? 0 : terminal::Fail(status.error());
    };
  });
}

Result<boost::json::array> ReadList(HttpClient& client, const std::string& list) {
  MR_ASSIGN(const std::string body, client.Get("/api/v1/" + list));
  boost::system::error_code failed;
  const auto json = boost::json::parse(body, failed);
  const auto* object = failed ? nullptr : json.if_object();
  const auto* items = object == nullptr ? nullptr : object->if_contains(list);
  if (items == nullptr || !items->is_array() ||
      !std::ranges::all_of(items->get_array(), [](const auto& item) { return item.is_object(); })) {
    return Err(ErrorCode::kServerUnreachable, "the server's answer is not Millrace's");
  }
  return items->get_array();
}

std::string TextOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || value->is_null()) {
    return "-";
  }
  if (value->is_string()) {
    return std::string(value->get_string().data(), value->get_string().size());
  }
  return boost::json::serialize(*value);
}

double NumberOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  boost::system::error_code failed;
  const double number = value == nullptr ? 0 : value->to_number<double>(failed);
  return failed ? 0 : number;
}

std::string DescribeColumns(const boost::json::object& item) {
  const auto* columns = item.if_contains("columns");
  std::string text = "columns:\n";
  if (columns == nullptr || !columns->is_array()) {
    return text;
  }
  for (const auto& column : columns->get_array()) {
    if (const auto* object = column.if_object()) {
      text += fmt::format("  {} {}{}\n", TextOf(*object, "name"), TextOf(*object, "type"),
                          TextOf(*object, "nullable") == "false" ? " NOT NULL" : "");
    }
  }
  return text;
}

}  // namespace millrace

#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "millrace/base/result.h"
#include "millrace/cli/server_flags.h"
#include "millrace/cli/subcommands.h"

namespace millrace {

/// What `millrace streams` and `millrace views` have in common: one list of the server, as a table
/// or as JSON, or one item of it.
struct Listing {
  std::string command;  ///< Also the path of the list and its name in the answer.
  std::string help;
  std::string footer;
  std::vector<std::string> header;
  /// Cells of one item of the list, as many as the header has.
  std::function<std::vector<std::string>(const boost::json::object&)> cells;
  /// Whether the item is shown in the list without --all; null = all are.
  std::function<bool(const boost::json::object&)> is_shown;
  /// Lines that describe one item.
  std::function<std::string(const boost::json::object&)> describe;
};

void AddListing(CLI::App& app, Listing listing, ChosenCommand& chosen);

/// The objects of a list that the server has: "streams" or "views".
Result<boost::json::array> ReadList(HttpClient& client, const std::string& list);

/// Members of answers. Missing ones and nulls are "-", 0 and empty.
std::string TextOf(const boost::json::object& object, std::string_view name);
double NumberOf(const boost::json::object& object, std::string_view name);
/// "name type" lines of the member `columns`, indented.
std::string DescribeColumns(const boost::json::object& item);

}  // namespace millrace

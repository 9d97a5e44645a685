#include "millrace/sql/with_options.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "millrace/data/text_format.h"

namespace millrace::internal {

namespace {

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return text;
}

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  const size_t last = text.find_last_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

Bound<std::string> ValueText(const TreeNode& option, const Script& script) {
  const TreeNode value = option.Child("arg");
  const int offset = option.offset();
  if (value.Is("String")) {
    return value.Text("sval");
  }
  if (value.Is("Integer")) {
    const int64_t shown = value.Integer("ival");
    return std::to_string(shown != 0 ? shown : script.IntegerAt(offset + 1));
  }
  if (value.Is("Float")) {
    return value.Text("fval");
  }
  if (value.Is("TypeName")) {
    return value.Names("names").back();  // A bare word: emit = final.
  }
  return ErrAt(offset, ErrorCode::kConfigInvalidValue,
               "an option needs a value: " + option.Text("defname"),
               "write " + option.Text("defname") + " = '...'");
}

}  // namespace

Bound<WithOptions> WithOptions::Read(const std::vector<TreeNode>& options, const Script& script) {
  WithOptions read;
  for (const TreeNode& option : options) {
    MR_TRY(option.AllowOnly({"defname", "arg", "defnamespace"}, option.offset()));
    // A dotted name, kafka.group = ..., arrives as a namespace and a name.
    const std::string prefix = option.Has("defnamespace") ? option.Text("defnamespace") + "." : "";
    const std::string name = LowerCase(prefix + option.Text("defname"));
    MR_ASSIGN(std::string text, ValueText(option, script));
    if (!read.values_.emplace(name, Value{std::move(text), option.offset()}).second) {
      return ErrAt(option.offset(), ErrorCode::kSqlDuplicateName,
                   "an option is given twice: " + name);
    }
  }
  return read;
}

std::optional<WithOptions::Value> WithOptions::Take(const std::string& name) {
  auto node = values_.extract(name);
  return node.empty() ? std::nullopt : std::optional(std::move(node.mapped()));
}

Bound<std::optional<Micros>> WithOptions::TakeInterval(const std::string& name) {
  const auto value = Take(name);
  if (!value) {
    return std::nullopt;
  }
  const auto interval = ParseInterval(value->text);
  const Int128 micros = interval ? IntervalOrder(*interval) : -1;
  if (!interval || interval->months != 0 || micros < 0 ||
      micros > std::numeric_limits<Micros>::max() / 2) {
    return ErrAt(value->offset, ErrorCode::kConfigInvalidValue,
                 fmt::format("option {} is not a non-negative interval without months: {}", name,
                             value->text),
                 "for example '5 seconds'");
  }
  return static_cast<Micros>(micros);
}

Bound<std::optional<int64_t>> WithOptions::TakeInteger(const std::string& name, int64_t minimum,
                                                       int64_t maximum) {
  const auto value = Take(name);
  if (!value) {
    return std::nullopt;
  }
  int64_t integer = 0;
  if (ScanInteger(value->text, minimum, maximum, integer) != ScanOutcome::kOk) {
    return ErrAt(value->offset, ErrorCode::kConfigInvalidValue,
                 fmt::format("option {} is not an integer from {} to {}: {}", name, minimum,
                             maximum, value->text));
  }
  return integer;
}

std::optional<std::vector<WithOptions::Value>> WithOptions::TakeNames(const std::string& name) {
  const auto value = Take(name);
  if (!value) {
    return std::nullopt;
  }
  std::vector<Value> names;
  size_t first = 0;
  while (first <= value->text.size()) {
    const size_t end = std::min(value->text.find(',', first), value->text.size());
    names.push_back({Trimmed(value->text.substr(first, end - first)), value->offset});
    first = end + 1;
  }
  return names;
}

std::map<std::string, std::string> WithOptions::Rest() const {
  std::map<std::string, std::string> rest;
  for (const auto& [name, value] : values_) {
    rest.emplace(name, value.text);
  }
  return rest;
}

}  // namespace millrace::internal

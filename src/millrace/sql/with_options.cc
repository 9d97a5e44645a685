#include "millrace/sql/with_options.h"

#include <algorithm>

namespace millrace::internal {

namespace {

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return text;
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
    const SourceLocation location = script.Locate(option.offset());
    read.offsets_.emplace(name, option.offset());
    if (!read.options_.emplace(name, WithOption{std::move(text), location}).second) {
      return ErrAt(option.offset(), ErrorCode::kSqlDuplicateName,
                   "an option is given twice: " + name);
    }
  }
  return read;
}

}  // namespace millrace::internal

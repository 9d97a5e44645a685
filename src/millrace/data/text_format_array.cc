#include <algorithm>
#include <functional>
#include <string>

#include <fmt/format.h>

#include "millrace/data/array_value.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace {

namespace {

using internal::IsSpace;

bool NeedsQuotes(std::string_view text) {
  return text.empty() || internal::EqualsIgnoreCase(text, "null") ||
         std::ranges::any_of(text, [](char c) {
           return c == '{' || c == '}' || c == ',' || c == '"' || c == '\\' || IsSpace(c);
         });
}

void AppendElementText(std::string& out, const Value& value, const DataType& type) {
  if (value.is_null()) {
    out += "NULL";
    return;
  }
  if (type.id == TypeId::kBoolean) {
    out += value.Get<bool>() ? 't' : 'f';
    return;
  }
  std::string text;
  AppendValueText(text, value, type);
  if (!NeedsQuotes(text)) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  out += '"';
}

using ParseElement = std::function<Result<Value>(std::string_view element)>;

/// Reads the elements between the braces.
class ElementParser {
 public:
  ElementParser(std::string_view inside, const DataType& type, const ParseElement& parse)
      : rest_(inside), type_(type.element_type()), parse_(parse), elements_(type_) {}

  Result<Value> Parse() {
    SkipSpace();
    while (!rest_.empty()) {
      MR_TRY(TakeElement());
      SkipSpace();
      if (rest_.empty()) {
        break;
      }
      if (rest_.front() != ',') {
        return Malformed("a comma is missing");
      }
      rest_.remove_prefix(1);
      SkipSpace();
      if (rest_.empty()) {
        return Malformed("an element is missing");
      }
    }
    std::string array;
    AppendElements(elements_.Finish(), array);
    return Value(std::move(array));
  }

 private:
  std::unexpected<Error> Malformed(std::string_view what) const {
    return Err(ErrorCode::kInvalidCast,
               fmt::format("invalid text for {}[]: {}", type_.ToString(), what));
  }

  void SkipSpace() {
    while (!rest_.empty() && IsSpace(rest_.front())) {
      rest_.remove_prefix(1);
    }
  }

  Status TakeElement() {
    const bool is_quoted = rest_.front() == '"';
    MR_ASSIGN(const std::string text, is_quoted ? ReadQuoted() : ReadPlain());
    if (!is_quoted && internal::EqualsIgnoreCase(text, "null")) {
      elements_.AppendNull();
      return {};
    }
    MR_ASSIGN(const Value value, parse_ == nullptr ? ParseValue(text, type_) : parse_(text));
    AppendValue(elements_, value);
    return {};
  }

  Result<std::string> ReadQuoted() {
    std::string text;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      i += rest_[i] == '\\' && i + 1 < rest_.size() ? 1 : 0;
      text += rest_[i];
    }
    return Malformed("a quote is not closed");
  }

  Result<std::string> ReadPlain() {
    std::string text;
    size_t end = 0;  // Of `text` without the space behind it.
    size_t i = 0;
    for (; i < rest_.size() && rest_[i] != ','; ++i) {
      if (rest_[i] == '{' || rest_[i] == '}') {
        return Malformed("arrays have one dimension");
      }
      if (rest_[i] == '"') {
        return Malformed("a quote within an element");
      }
      const bool is_escaped = rest_[i] == '\\' && i + 1 < rest_.size();
      i += is_escaped ? 1 : 0;
      text += rest_[i];
      end = is_escaped || !IsSpace(rest_[i]) ? text.size() : end;
    }
    rest_.remove_prefix(i);
    text.resize(end);
    if (text.empty()) {
      return Malformed("an element is missing");
    }
    return text;
  }

  std::string_view rest_;
  const DataType type_;
  const ParseElement& parse_;
  ColumnBuilder elements_;
};

}  // namespace

void AppendArrayText(std::string& out, std::string_view array, const DataType& type) {
  const Column elements = ElementsOf(array, type);
  out += '{';
  for (size_t row = 0; row < elements.size(); ++row) {
    out += row == 0 ? "" : ",";
    AppendElementText(out, ValueAt(elements, row), elements.type());
  }
  out += '}';
}

Result<Value> ParseArray(std::string_view text, const DataType& type,
                         const ParseElement& parse_element) {
  text = internal::TrimSpace(text);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    return Err(ErrorCode::kInvalidCast,
               fmt::format("invalid text for {}: it is not in {{}}", type.ToString()));
  }
  return ElementParser(text.substr(1, text.size() - 2), type, parse_element).Parse();
}

}  // namespace millrace

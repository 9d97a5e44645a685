#include "millrace/connect/file/record_cutter.h"

namespace millrace {

namespace {

size_t MarkBytes(std::string_view text, bool file_begin) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  return file_begin && text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
}

}  // namespace

size_t RecordCutter::WholeRecords(std::string_view text, bool file_begin) const {
  if (!dialect_) {
    return text.rfind('\n') + 1;
  }
  const size_t mark = MarkBytes(text, file_begin);
  const size_t whole = csv::RecordScanner::WholeRecords(*dialect_, text.substr(mark));
  return whole == 0 ? 0 : whole + mark;
}

void RecordCutter::BeginRecord() {
  if (dialect_) {
    scanner_.emplace(*dialect_);
  }
}

size_t RecordCutter::FindEnd(std::string_view piece, bool file_begin) {
  if (!scanner_) {
    const size_t line_end = piece.find('\n');
    return line_end == std::string_view::npos ? line_end : line_end + 1;
  }
  const size_t mark = MarkBytes(piece, file_begin);
  const size_t end = scanner_->FindEnd(piece.substr(mark));
  return end == std::string_view::npos ? end : end + mark;
}

}  // namespace millrace

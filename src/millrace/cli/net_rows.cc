#include "millrace/cli/net_rows.h"

#include <unordered_map>

#include "millrace/base/checksum.h"

namespace millrace {

namespace {

constexpr size_t kBufferBytes = 1 << 20;

/// Appends lines to a new file.
class LineFile {
 public:
  explicit LineFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Status Add(std::string_view line, int64_t times) {
    for (; times > 0; --times) {
      buffer_.append(line).push_back('\n');
    }
    return buffer_.size() < kBufferBytes ? Status() : Flush();
  }

  Status Flush() {
    MR_TRY(file_->WriteAt(size_, std::as_bytes(std::span(buffer_))));
    size_ += buffer_.size();
    buffer_.clear();
    return {};
  }

 private:
  std::unique_ptr<File> file_;
  std::string buffer_;
  uint64_t size_ = 0;
};

}  // namespace

Result<NetRows> ReadNetRows(ChangeReader& changes) {
  NetRows rows;
  MR_TRY(changes.Read([&](std::string_view row, int64_t weight) -> Status {
    rows.count += weight;
    rows.digest += static_cast<uint64_t>(weight) * Xxh3(std::as_bytes(std::span(row)));
    rows.has_retractions |= weight < 0;
    return {};
  }));
  return rows;
}

Status WriteNetRows(ChangeReader& changes, const NetRows& rows, FileSystem& files,
                    const std::string& path) {
  if (files.Info(path)) {
    MR_TRY(files.RemoveFile(path));
  }
  MR_ASSIGN(auto file, files.Open(path, OpenMode::kCreate));
  LineFile lines(std::move(file));
  if (!rows.has_retractions) {
    MR_TRY(
        changes.Read([&](std::string_view row, int64_t weight) { return lines.Add(row, weight); }));
    return lines.Flush();
  }
  std::unordered_map<std::string, int64_t> net;
  MR_TRY(changes.Read([&](std::string_view row, int64_t weight) -> Status {
    net[std::string(row)] += weight;
    return {};
  }));
  for (const auto& [row, weight] : net) {
    MR_TRY(lines.Add(row, weight));
  }
  return lines.Flush();
}

}  // namespace millrace

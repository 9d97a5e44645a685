#include "millrace/engine/served_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "millrace/data/row_encoding.h"

namespace millrace {

namespace {

/// Few, since a changed row costs a copy of its page and a search in it.
constexpr size_t kRowsPerPage = 16;
constexpr size_t kPagesPerDirectory = 256;

}  // namespace

/// Rows side by side, each behind its header.
struct ServedRows::Page {
  /// u64 hash, i64 count, u32 bytes of the row.
  static constexpr size_t kHeaderBytes = 20;
  static constexpr size_t kNone = SIZE_MAX;

  struct Entry {
    uint64_t hash;
    int64_t count;
    std::string_view row;
  };

  uint64_t generation = 0;
  std::string bytes;

  Entry At(size_t offset) const {
    const char* const header = bytes.data() + offset;
    Entry entry{};
    uint32_t size = 0;
    std::memcpy(&entry.hash, header, sizeof(entry.hash));
    std::memcpy(&entry.count, header + 8, sizeof(entry.count));
    std::memcpy(&size, header + 16, sizeof(size));
    entry.row = {header + kHeaderBytes, size};
    return entry;
  }
  static size_t BytesOf(const Entry& entry) { return kHeaderBytes + entry.row.size(); }

  /// Calls `visit(offset, entry)` with each row until it returns false.
  template <typename Visit>
  void VisitWhile(Visit visit) const {
    for (size_t offset = 0; offset < bytes.size();) {
      const Entry entry = At(offset);
      if (!visit(offset, entry)) {
        return;
      }
      offset += BytesOf(entry);
    }
  }

  /// Where the row is, or kNone.
  size_t Find(uint64_t hash, std::string_view row) const {
    size_t found = kNone;
    VisitWhile([&](size_t offset, const Entry& entry) {
      if (entry.hash == hash && entry.row == row) {
        found = offset;
      }
      return found == kNone;
    });
    return found;
  }

  void Append(const Entry& entry) {
    const auto size = static_cast<uint32_t>(entry.row.size());
    char header[kHeaderBytes];
    std::memcpy(header, &entry.hash, sizeof(entry.hash));
    std::memcpy(header + 8, &entry.count, sizeof(entry.count));
    std::memcpy(header + 16, &size, sizeof(size));
    bytes.append(header, sizeof(header));
    bytes.append(entry.row);
  }

  void SetCount(size_t offset, int64_t count) {
    std::memcpy(bytes.data() + offset + 8, &count, sizeof(count));
  }
  void Remove(size_t offset) { bytes.erase(offset, BytesOf(At(offset))); }
};

struct ServedRows::Directory {
  uint64_t generation = 0;
  std::vector<std::shared_ptr<Page>> pages;
};

/// All pages of a shard.
struct ServedRows::Table {
  std::vector<std::shared_ptr<Directory>> directories;
  size_t pages = 0;
  uint64_t rows = 0;

  const std::shared_ptr<Page>& At(size_t page) const {
    return directories[page / kPagesPerDirectory]->pages[page % kPagesPerDirectory];
  }

  size_t PageOf(uint64_t hash) const {
    const size_t round = std::bit_floor(pages);
    const size_t page = hash & (2 * round - 1);
    return page < pages ? page : page - round;
  }
};

class ServedRows::Shard {
 public:
  /// `key` outlives it.
  explicit Shard(const std::vector<size_t>& key) : key_(key) { AddPage({}); }

  void Reserve(uint64_t rows);
  void Apply(const Batch& batch);

  /// The state so far; what is applied later goes to copies.
  std::shared_ptr<const Table> Publish();

 private:
  void Prefetch(size_t i) const;
  void Add(std::string_view row, uint64_t hash, int64_t weight);
  void AddPage(Page page);
  Directory& WritableDirectory(size_t index);
  Page& WritablePage(size_t index);
  void SplitNextPage();

  Table next_;
  /// Null when next_ has changed since.
  std::shared_ptr<const Table> published_;
  /// Pages and directories made since the last Publish carry this number; no other table has them.
  uint64_t generation_ = 1;
  const std::vector<size_t>& key_;
  // Of the batch that is being applied.
  std::vector<size_t> all_columns_;
  EncodedKeys rows_;
  EncodedKeys keys_;
  std::vector<uint64_t> hashes_;
};

void ServedRows::Root::VisitPage(
    size_t page, const std::function<void(std::string_view row, int64_t count)>& visit) const {
  const auto shard =
      static_cast<size_t>(std::ranges::upper_bound(page_ends_, page) - page_ends_.begin());
  const size_t first = shard == 0 ? 0 : page_ends_[shard - 1];
  tables_[shard]->At(page - first)->VisitWhile([&](size_t, const Page::Entry& entry) {
    visit(entry.row, entry.count);
    return true;
  });
}

void ServedRows::Shard::Reserve(uint64_t rows) {
  MR_CHECK(next_.rows == 0, "{} rows are there", next_.rows);
  while (next_.pages * kRowsPerPage < rows) {
    AddPage({});
  }
}

void ServedRows::Shard::AddPage(Page page) {
  const size_t directory = next_.pages / kPagesPerDirectory;
  if (directory == next_.directories.size()) {
    next_.directories.push_back(std::make_shared<Directory>());
    next_.directories.back()->generation = generation_;
  }
  page.generation = generation_;
  WritableDirectory(directory).pages.push_back(std::make_shared<Page>(std::move(page)));
  ++next_.pages;
}

void ServedRows::Shard::Apply(const Batch& batch) {
  published_.reset();
  all_columns_.resize(batch.columns().size());
  std::iota(all_columns_.begin(), all_columns_.end(), 0);
  rows_.Encode(batch, all_columns_);
  if (!key_.empty()) {
    keys_.Encode(batch, key_);
  }
  const EncodedKeys& keys = key_.empty() ? rows_ : keys_;
  hashes_.resize(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    hashes_[i] = HashEncoded(keys.key(i));
  }
  for (size_t i = 0; i < rows_.size(); ++i) {
    Prefetch(i);
    Add(rows_.key(i), hashes_[i], batch.Weight(i));
  }
}

void ServedRows::Shard::Prefetch(size_t i) const {
  // Each step needs what the one before has fetched, some rows ago.
  constexpr size_t kStep = 4;
  const auto page_of = [&](size_t row) -> const std::shared_ptr<Page>& {
    return next_.At(next_.PageOf(hashes_[row]));
  };
  if (i + 3 * kStep < hashes_.size()) {
    __builtin_prefetch(&page_of(i + 3 * kStep));
  }
  if (i + 2 * kStep < hashes_.size()) {
    __builtin_prefetch(page_of(i + 2 * kStep).get());
  }
  if (i + kStep < hashes_.size()) {
    __builtin_prefetch(page_of(i + kStep)->bytes.data());
  }
}

void ServedRows::Shard::Add(std::string_view row, uint64_t hash, int64_t weight) {
  Page& page = WritablePage(next_.PageOf(hash));
  const size_t offset = page.Find(hash, row);
  if (offset == Page::kNone) {
    page.Append({.hash = hash, .count = weight, .row = row});
    ++next_.rows;
    if (next_.rows > next_.pages * kRowsPerPage) {
      SplitNextPage();
    }
    return;
  }
  const int64_t count = page.At(offset).count + weight;
  if (count == 0) {
    page.Remove(offset);
    --next_.rows;
  } else {
    page.SetCount(offset, count);
  }
}

ServedRows::Directory& ServedRows::Shard::WritableDirectory(size_t index) {
  std::shared_ptr<Directory>& directory = next_.directories[index];
  if (directory->generation != generation_) {
    directory = std::make_shared<Directory>(*directory);
    directory->generation = generation_;
  }
  return *directory;
}

ServedRows::Page& ServedRows::Shard::WritablePage(size_t index) {
  Directory& directory = WritableDirectory(index / kPagesPerDirectory);
  std::shared_ptr<Page>& page = directory.pages[index % kPagesPerDirectory];
  if (page->generation != generation_) {
    page = std::make_shared<Page>(*page);
    page->generation = generation_;
  }
  return *page;
}

void ServedRows::Shard::SplitNextPage() {
  const size_t round = std::bit_floor(next_.pages);
  Page& from = WritablePage(next_.pages - round);
  Page stays;
  Page goes;
  from.VisitWhile([&](size_t, const Page::Entry& entry) {
    ((entry.hash & round) == 0 ? stays : goes).Append(entry);
    return true;
  });
  stays.generation = generation_;
  from = std::move(stays);
  AddPage(std::move(goes));
}

std::shared_ptr<const ServedRows::Table> ServedRows::Shard::Publish() {
  if (published_ == nullptr) {
    published_ = std::make_shared<const Table>(next_);
    ++generation_;
  }
  return published_;
}

ServedRows::ServedRows(size_t shards, std::vector<size_t> key) : key_(std::move(key)) {
  MR_CHECK(shards > 0);
  for (size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(key_));
  }
  Publish({}, {});
}

ServedRows::~ServedRows() = default;

void ServedRows::Reserve(size_t shard, uint64_t rows) { shards_[shard]->Reserve(rows); }

void ServedRows::Apply(size_t shard, const Batch& batch) { shards_[shard]->Apply(batch); }

void ServedRows::Publish(std::vector<Offset> position, std::vector<Offset> source_position) {
  auto root = std::make_shared<Root>();
  for (const auto& shard : shards_) {
    const auto& table = root->tables_.emplace_back(shard->Publish());
    root->page_ends_.push_back(root->pages() + table->pages);
    root->rows_ += table->rows;
  }
  root->position_ = std::move(position);
  root->source_position_ = std::move(source_position);
  MutexLock lock(mutex_);
  published_ = std::move(root);
}

std::shared_ptr<const ServedRows::Root> ServedRows::root() const {
  MutexLock lock(mutex_);
  return published_;
}

}  // namespace millrace

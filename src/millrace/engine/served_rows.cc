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

/// Rows side by side, each behind its header: u64 hash, i64 count, u32 bytes of the row. The memory
/// is shared with older states; who has made it in the open generation may change it.
struct ServedRows::Page {
  static constexpr size_t kHeaderBytes = 20;
  static constexpr size_t kNone = SIZE_MAX;
  /// An empty page gets room for so many rows like its first one, within bounds.
  static constexpr size_t kRowsAtFirst = 12;
  static constexpr size_t kBytesAtFirst = 4096;

  struct Entry {
    uint64_t hash;
    int64_t count;
    std::string_view row;
  };

  std::shared_ptr<char[]> bytes;
  size_t size = 0;
  size_t capacity = 0;
  uint64_t generation = 0;

  Entry At(size_t offset) const {
    const char* const header = bytes.get() + offset;
    Entry entry{};
    uint32_t row_size = 0;
    std::memcpy(&entry.hash, header, sizeof(entry.hash));
    std::memcpy(&entry.count, header + 8, sizeof(entry.count));
    std::memcpy(&row_size, header + 16, sizeof(row_size));
    entry.row = {header + kHeaderBytes, row_size};
    return entry;
  }
  static size_t BytesOf(const Entry& entry) { return kHeaderBytes + entry.row.size(); }

  /// Calls `visit(offset, entry)` with each row until it returns false.
  template <typename Visit>
  void VisitWhile(Visit visit) const {
    for (size_t offset = 0; offset < size;) {
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

  /// Makes the page one of this generation, with room for `more` bytes.
  void Open(uint64_t open_generation, size_t more) {
    const bool is_own = generation == open_generation;
    const size_t needed = size + more;
    if (is_own && needed <= capacity) {
      return;
    }
    capacity = is_own ? std::max(needed, size + size / 8) : needed;
    auto copy = std::make_shared_for_overwrite<char[]>(capacity);
    if (size > 0) {
      std::memcpy(copy.get(), bytes.get(), size);
    }
    bytes = std::move(copy);
    generation = open_generation;
  }

  /// The room to open the page with for one more row.
  size_t RoomFor(const Entry& entry) const {
    const size_t one = BytesOf(entry);
    return size == 0 ? std::max(one, std::min(kRowsAtFirst * one, kBytesAtFirst)) : one;
  }

  // The page is open, and has room.
  void Append(const Entry& entry) {
    const auto row_size = static_cast<uint32_t>(entry.row.size());
    char* const header = bytes.get() + size;
    std::memcpy(header, &entry.hash, sizeof(entry.hash));
    std::memcpy(header + 8, &entry.count, sizeof(entry.count));
    std::memcpy(header + 16, &row_size, sizeof(row_size));
    std::memcpy(header + kHeaderBytes, entry.row.data(), row_size);
    size += BytesOf(entry);
  }
  void SetCount(size_t offset, int64_t count) {
    std::memcpy(bytes.get() + offset + 8, &count, sizeof(count));
  }
  void Remove(size_t offset) {
    const size_t behind = offset + BytesOf(At(offset));
    std::memmove(bytes.get() + offset, bytes.get() + behind, size - behind);
    size -= behind - offset;
  }
};

struct ServedRows::Directory {
  uint64_t generation = 0;
  std::vector<Page> pages;
};

/// All pages of a shard.
struct ServedRows::Table {
  std::vector<std::shared_ptr<Directory>> directories;
  size_t pages = 0;
  uint64_t rows = 0;

  const Page& At(size_t page) const {
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
  /// Of the batch's rows [begin, end).
  void SortByDirectory(size_t begin, size_t end);
  void Prefetch(size_t i) const;
  void Add(std::string_view row, uint64_t hash, int64_t weight);
  void AddPage(Page page);
  Directory& OpenDirectory(size_t index);
  /// The page may still be shared.
  Page& PageAt(size_t index);
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
  std::vector<uint32_t> order_;  ///< Rows, those of one directory side by side.
  std::vector<uint32_t> directory_ends_;
};

void ServedRows::Root::VisitPage(
    size_t page, const std::function<void(std::string_view row, int64_t count)>& visit) const {
  const auto shard =
      static_cast<size_t>(std::ranges::upper_bound(page_ends_, page) - page_ends_.begin());
  const size_t first = shard == 0 ? 0 : page_ends_[shard - 1];
  tables_[shard]->At(page - first).VisitWhile([&](size_t, const Page::Entry& entry) {
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
  OpenDirectory(directory).pages.push_back(std::move(page));
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
  // The pages grow with what comes, else a large batch would be searched in a few full ones.
  for (size_t begin = 0; begin < hashes_.size();) {
    const size_t end = std::min(hashes_.size(), begin + next_.pages * kRowsPerPage);
    SortByDirectory(begin, end);
    for (size_t i = 0; i < order_.size(); ++i) {
      Prefetch(i);
      const uint32_t row = order_[i];
      Add(rows_.key(row), hashes_[row], batch.Weight(row));
    }
    while (next_.rows > next_.pages * kRowsPerPage) {
      SplitNextPage();
    }
    begin = end;
  }
}

/// A directory's pages fit into a cache, where those of all others do not.
void ServedRows::Shard::SortByDirectory(size_t begin, size_t end) {
  const auto directory_of = [&](size_t row) {
    return next_.PageOf(hashes_[row]) / kPagesPerDirectory;
  };
  order_.resize(end - begin);
  directory_ends_.assign(next_.directories.size() + 1, 0);
  for (size_t row = begin; row < end; ++row) {
    ++directory_ends_[directory_of(row) + 1];
  }
  std::partial_sum(directory_ends_.begin(), directory_ends_.end(), directory_ends_.begin());
  for (size_t row = begin; row < end; ++row) {
    order_[directory_ends_[directory_of(row)]++] = static_cast<uint32_t>(row);
  }
}

void ServedRows::Shard::Prefetch(size_t i) const {
  // Each step needs what the one before has fetched, some rows ago.
  constexpr size_t kStep = 8;
  constexpr size_t kLineBytes = 64;
  const auto page_of = [&](size_t ahead) -> const Page& {
    return next_.At(next_.PageOf(hashes_[order_[ahead]]));
  };
  if (i + 2 * kStep < order_.size()) {
    __builtin_prefetch(&page_of(i + 2 * kStep));
  }
  if (i + kStep < order_.size()) {
    const Page& page = page_of(i + kStep);
    for (size_t offset = 0; offset < page.size; offset += kLineBytes) {
      __builtin_prefetch(page.bytes.get() + offset);
    }
  }
}

void ServedRows::Shard::Add(std::string_view row, uint64_t hash, int64_t weight) {
  Page& page = PageAt(next_.PageOf(hash));
  const size_t offset = page.Find(hash, row);
  if (offset == Page::kNone) {
    const Page::Entry entry{.hash = hash, .count = weight, .row = row};
    page.Open(generation_, page.RoomFor(entry));
    page.Append(entry);
    ++next_.rows;
    return;
  }
  page.Open(generation_, 0);
  const int64_t count = page.At(offset).count + weight;
  if (count == 0) {
    page.Remove(offset);
    --next_.rows;
  } else {
    page.SetCount(offset, count);
  }
}

ServedRows::Directory& ServedRows::Shard::OpenDirectory(size_t index) {
  std::shared_ptr<Directory>& directory = next_.directories[index];
  if (directory->generation != generation_) {
    directory = std::make_shared<Directory>(*directory);
    directory->generation = generation_;
  }
  return *directory;
}

ServedRows::Page& ServedRows::Shard::PageAt(size_t index) {
  return OpenDirectory(index / kPagesPerDirectory).pages[index % kPagesPerDirectory];
}

void ServedRows::Shard::SplitNextPage() {
  const size_t round = std::bit_floor(next_.pages);
  Page& from = PageAt(next_.pages - round);
  const auto goes = [&](const Page::Entry& entry) { return (entry.hash & round) != 0; };
  size_t goes_bytes = 0;
  from.VisitWhile([&](size_t, const Page::Entry& entry) {
    goes_bytes += goes(entry) ? Page::BytesOf(entry) : 0;
    return true;
  });
  Page lower;
  Page upper;
  lower.Open(generation_, from.size - goes_bytes);
  upper.Open(generation_, goes_bytes);
  from.VisitWhile([&](size_t, const Page::Entry& entry) {
    (goes(entry) ? upper : lower).Append(entry);
    return true;
  });
  from = std::move(lower);
  AddPage(std::move(upper));
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
  std::shared_ptr<const Root> published = std::move(root);
  {
    MutexLock lock(mutex_);
    published_.swap(published);
  }
  // Here goes what only the last state had, unless a query has it: not while others wait.
}

std::shared_ptr<const ServedRows::Root> ServedRows::root() const {
  MutexLock lock(mutex_);
  return published_;
}

}  // namespace millrace

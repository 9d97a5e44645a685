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

/// Entries side by side: hash, count, length, bytes.
struct ServedRows::Page {
  struct Entry {
    uint64_t hash;
    int64_t count;
    uint32_t offset;
    uint32_t size;
  };
  uint64_t generation = 0;
  std::vector<Entry> entries;
  std::string bytes;
  size_t garbage = 0;  // Bytes that no entry refers to.

  std::string_view Row(const Entry& entry) const {
    return std::string_view(bytes).substr(entry.offset, entry.size);
  }

  /// Leaves the bytes behind until most of them are such.
  void Remove(size_t index) {
    garbage += entries[index].size;
    entries[index] = entries.back();
    entries.pop_back();
    if (garbage > bytes.size() / 2) {
      *this = Compacted();
    }
  }

  Page Compacted() const {
    Page page;
    page.generation = generation;
    page.entries.reserve(entries.size() + 1);
    page.bytes.reserve(bytes.size() - garbage);
    for (const Entry& entry : entries) {
      page.Append(entry.hash, entry.count, Row(entry));
    }
    return page;
  }

  void Append(uint64_t hash, int64_t count, std::string_view row) {
    entries.push_back(
        {hash, count, static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(row.size())});
    bytes.append(row);
  }
};

struct ServedRows::Directory {
  uint64_t generation = 0;
  std::vector<std::shared_ptr<Page>> pages;
};

void ServedRows::Root::VisitPage(
    size_t page, const std::function<void(std::string_view row, int64_t count)>& visit) const {
  const Page& rows = *directories_[page / kPagesPerDirectory]->pages[page % kPagesPerDirectory];
  for (const Page::Entry& entry : rows.entries) {
    visit(rows.Row(entry), entry.count);
  }
}

ServedRows::ServedRows() {
  AddPage({});
  published_ = std::make_shared<const Root>(next_);
}

ServedRows::~ServedRows() = default;

void ServedRows::Reserve(uint64_t rows) {
  MR_CHECK(next_.rows_ == 0, "{} rows are there", next_.rows_);
  while (next_.pages_ * kRowsPerPage < rows) {
    Page page;
    page.entries.reserve(kRowsPerPage);
    AddPage(std::move(page));
  }
}

void ServedRows::AddPage(Page page) {
  const size_t directory = next_.pages_ / kPagesPerDirectory;
  if (directory == next_.directories_.size()) {
    next_.directories_.push_back(std::make_shared<Directory>());
    next_.directories_.back()->generation = generation_;
  }
  page.generation = generation_;
  WritableDirectory(directory).pages.push_back(std::make_shared<Page>(std::move(page)));
  ++next_.pages_;
}

void ServedRows::Apply(const Batch& batch) {
  all_columns_.resize(batch.columns().size());
  std::iota(all_columns_.begin(), all_columns_.end(), 0);
  rows_.Encode(batch, all_columns_);
  hashes_.resize(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    hashes_[i] = HashEncoded(rows_.key(i));
  }
  for (size_t i = 0; i < rows_.size(); ++i) {
    Prefetch(i);
    Add(rows_.key(i), hashes_[i], batch.Weight(i));
  }
}

void ServedRows::Prefetch(size_t i) const {
  // Each step needs what the one before has fetched, some rows ago.
  constexpr size_t kStep = 4;
  const auto slot = [&](size_t row) -> const std::shared_ptr<Page>& {
    const size_t page = PageOf(hashes_[row]);
    return next_.directories_[page / kPagesPerDirectory]->pages[page % kPagesPerDirectory];
  };
  if (i + 3 * kStep < hashes_.size()) {
    __builtin_prefetch(&slot(i + 3 * kStep));
  }
  if (i + 2 * kStep < hashes_.size()) {
    __builtin_prefetch(slot(i + 2 * kStep).get());
  }
  if (i + kStep < hashes_.size()) {
    const Page& page = *slot(i + kStep);
    __builtin_prefetch(page.entries.data());
    __builtin_prefetch(page.bytes.data() + page.bytes.size());
  }
}

void ServedRows::Add(std::string_view row, uint64_t hash, int64_t weight) {
  Page& page = WritablePage(PageOf(hash));
  const auto found = std::ranges::find_if(page.entries, [&](const Page::Entry& entry) {
    return entry.hash == hash && page.Row(entry) == row;
  });
  if (found == page.entries.end()) {
    page.Append(hash, weight, row);
    ++next_.rows_;
    if (next_.rows_ > next_.pages_ * kRowsPerPage) {
      SplitNextPage();
    }
    return;
  }
  found->count += weight;
  if (found->count == 0) {
    page.Remove(static_cast<size_t>(found - page.entries.begin()));
    --next_.rows_;
  }
}

size_t ServedRows::PageOf(uint64_t hash) const {
  const size_t round = std::bit_floor(next_.pages_);
  const size_t page = hash & (2 * round - 1);
  return page < next_.pages_ ? page : page - round;
}

ServedRows::Directory& ServedRows::WritableDirectory(size_t index) {
  std::shared_ptr<Directory>& directory = next_.directories_[index];
  if (directory->generation != generation_) {
    directory = std::make_shared<Directory>(*directory);
    directory->generation = generation_;
  }
  return *directory;
}

ServedRows::Page& ServedRows::WritablePage(size_t index) {
  Directory& directory = WritableDirectory(index / kPagesPerDirectory);
  std::shared_ptr<Page>& page = directory.pages[index % kPagesPerDirectory];
  if (page->generation != generation_) {
    page = std::make_shared<Page>(*page);
    page->generation = generation_;
  }
  return *page;
}

void ServedRows::SplitNextPage() {
  const size_t round = std::bit_floor(next_.pages_);
  Page& from = WritablePage(next_.pages_ - round);
  Page stays;
  Page goes;
  for (const Page::Entry& entry : from.entries) {
    Page& page = (entry.hash & round) == 0 ? stays : goes;
    page.Append(entry.hash, entry.count, from.Row(entry));
  }
  stays.generation = generation_;
  from = std::move(stays);
  AddPage(std::move(goes));
}

void ServedRows::Publish(std::vector<Offset> position, std::vector<Offset> source_position) {
  next_.position_ = std::move(position);
  next_.source_position_ = std::move(source_position);
  auto root = std::make_shared<const Root>(next_);
  ++generation_;
  MutexLock lock(mutex_);
  published_ = std::move(root);
}

std::shared_ptr<const ServedRows::Root> ServedRows::root() const {
  MutexLock lock(mutex_);
  return published_;
}

}  // namespace millrace

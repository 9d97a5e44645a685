#include "millrace/engine/served_rows.h"

#include <algorithm>
#include <cstring>

#include "millrace/data/row_encoding.h"

namespace millrace {

namespace {

constexpr size_t kRowsPerPage = 48;

}  // namespace

/// Entries side by side: hash, count, length, bytes.
struct ServedRows::Page {
  struct Entry {
    uint64_t hash;
    int64_t count;
    uint32_t offset;
    uint32_t size;
  };
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

void ServedRows::Root::VisitPage(
    size_t page, const std::function<void(std::string_view row, int64_t count)>& visit) const {
  for (const Page::Entry& entry : pages_[page]->entries) {
    visit(pages_[page]->Row(entry), entry.count);
  }
}

ServedRows::ServedRows() : next_(std::make_shared<Root>()) {
  next_->pages_.push_back(std::make_shared<const Page>());
  owned_.assign(1, false);
  published_ = std::make_shared<const Root>(*next_);
}

ServedRows::~ServedRows() = default;

void ServedRows::Apply(const Batch& batch) {
  std::string row;
  for (size_t i = 0; i < batch.rows(); ++i) {
    row.clear();
    for (const Column& column : batch.columns()) {
      AppendEncoded(column, i, row);
    }
    Add(row, batch.Weight(i));
  }
}

void ServedRows::Add(std::string_view row, int64_t weight) {
  const uint64_t hash = HashEncoded(row);
  Page& page = WritablePage(hash & (next_->pages_.size() - 1));
  const auto found = std::ranges::find_if(page.entries, [&](const Page::Entry& entry) {
    return entry.hash == hash && page.Row(entry) == row;
  });
  if (found == page.entries.end()) {
    page.Append(hash, weight, row);
    ++next_->rows_;
    if (next_->rows_ > next_->pages_.size() * kRowsPerPage) {
      Grow();
    }
    return;
  }
  found->count += weight;
  if (found->count == 0) {
    page.Remove(static_cast<size_t>(found - page.entries.begin()));
    --next_->rows_;
  }
}

ServedRows::Page& ServedRows::WritablePage(size_t index) {
  std::shared_ptr<const Page>& page = next_->pages_[index];
  if (!owned_[index]) {
    page = std::make_shared<Page>(*page);
    owned_[index] = true;
  }
  return const_cast<Page&>(*page);
}

void ServedRows::Grow() {
  const size_t count = next_->pages_.size() * 4;
  std::vector<std::shared_ptr<Page>> pages(count);
  for (auto& page : pages) {
    page = std::make_shared<Page>();
  }
  for (const auto& old : next_->pages_) {
    for (const Page::Entry& entry : old->entries) {
      pages[entry.hash & (count - 1)]->Append(entry.hash, entry.count, old->Row(entry));
    }
  }
  next_->pages_.assign(pages.begin(), pages.end());
  owned_.assign(count, true);
}

void ServedRows::Publish(std::vector<Offset> position, std::vector<Offset> source_position) {
  next_->position_ = std::move(position);
  next_->source_position_ = std::move(source_position);
  auto root = std::make_shared<const Root>(*next_);
  owned_.assign(owned_.size(), false);
  MutexLock lock(mutex_);
  published_ = std::move(root);
}

std::shared_ptr<const ServedRows::Root> ServedRows::root() const {
  MutexLock lock(mutex_);
  return published_;
}

}  // namespace millrace

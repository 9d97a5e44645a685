#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/data/batch.h"
#include "millrace/data/encoded_keys.h"

namespace millrace {

/// The current rows of a view as a multiset of encoded rows (data/row_encoding.h), in pages that
/// are copied on write: a commit publishes an immutable root, and queries read roots without locks.
///
/// Pages are the buckets of a linear hash table (Litwin, 1980): it grows by one page at a time, so
/// that no commit waits for a large table to be built anew. They hang in directories of
/// kPagesPerDirectory, so that a commit copies what it changed and not a pointer for each page.
///
/// Apply and Publish: one thread at a time. root(): any thread.
class ServedRows {
 private:
  struct Page;
  struct Directory;

 public:
  /// One published state. Immutable; pages are shared between states.
  class Root {
   public:
    /// Calls `visit` with each row of one page and how often it is there (never 0), in no
    /// particular order. Every row is on one of the pages [0, pages()).
    void VisitPage(size_t page,
                   const std::function<void(std::string_view row, int64_t count)>& visit) const;
    size_t pages() const { return pages_; }

    /// Rows, repeats counted once each.
    uint64_t rows() const { return rows_; }
    /// Per partition of the view's change stream the offset up to which it is applied.
    const std::vector<Offset>& position() const { return position_; }
    /// Per partition of the source stream the offset up to which its records are in the rows.
    const std::vector<Offset>& source_position() const { return source_position_; }

   private:
    friend class ServedRows;
    std::vector<std::shared_ptr<Directory>> directories_;
    size_t pages_ = 0;
    uint64_t rows_ = 0;
    std::vector<Offset> position_;
    std::vector<Offset> source_position_;
  };

  ServedRows();
  ~ServedRows();

  /// Makes room for about `rows` rows at once; only before the first of them.
  void Reserve(uint64_t rows);

  /// Adds a batch of changes to the next state: weights count up and down.
  void Apply(const Batch& batch);

  /// Makes what was applied visible as of these positions.
  void Publish(std::vector<Offset> position, std::vector<Offset> source_position)
      MR_EXCLUDES(mutex_);

  std::shared_ptr<const Root> root() const MR_EXCLUDES(mutex_);

 private:
  void Prefetch(size_t i) const;
  void Add(std::string_view row, uint64_t hash, int64_t weight);
  size_t PageOf(uint64_t hash) const;
  void AddPage(Page page);
  Directory& WritableDirectory(size_t index);
  Page& WritablePage(size_t index);
  void SplitNextPage();

  Root next_;
  // Of the batch that is being applied.
  std::vector<size_t> all_columns_;
  EncodedKeys rows_;
  std::vector<uint64_t> hashes_;
  /// Pages and directories made since the last Publish carry this number; no root shares them.
  uint64_t generation_ = 1;
  mutable Mutex mutex_;
  std::shared_ptr<const Root> published_ MR_GUARDED_BY(mutex_);
};

}  // namespace millrace

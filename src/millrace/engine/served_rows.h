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
/// Rows are kept in shards, so that several threads may apply changes at once: all changes of a
/// row must go to the same shard, else it would be there twice. A shard is a linear hash table
/// (Litwin, 1980), whose buckets are the pages: it grows by one page at a time, so that no commit
/// waits for a large table to be built anew. A row's page follows from the key columns, so that an
/// old and a new row of a key are on one page, which is copied once. Pages hang in directories of
/// kPagesPerDirectory, so that a commit copies what it changed and not a pointer for each page; a
/// batch of changes goes directory by directory, since one's pages fit into a cache.
///
/// Reserve and Apply: one thread at a time for each shard. Publish: no other at that time. root():
/// any thread.
class ServedRows {
 private:
  struct Page;
  struct Directory;
  struct Table;
  class Shard;

 public:
  /// One published state. Immutable; pages are shared between states.
  class Root {
   public:
    /// Calls `visit` with each row of one page and how often it is there (never 0), in no
    /// particular order. Every row is on one of the pages [0, pages()).
    void VisitPage(size_t page,
                   const std::function<void(std::string_view row, int64_t count)>& visit) const;
    size_t pages() const { return page_ends_.empty() ? 0 : page_ends_.back(); }

    /// Rows, repeats counted once each.
    uint64_t rows() const { return rows_; }
    /// Per partition of the view's change stream the offset up to which it is applied.
    const std::vector<Offset>& position() const { return position_; }
    /// Per partition of the source stream the offset up to which its records are in the rows.
    const std::vector<Offset>& source_position() const { return source_position_; }

   private:
    friend class ServedRows;
    std::vector<std::shared_ptr<const Table>> tables_;  // One for each shard.
    std::vector<size_t> page_ends_;
    uint64_t rows_ = 0;
    std::vector<Offset> position_;
    std::vector<Offset> source_position_;
  };

  /// `key` are the columns that identify a row of the view; empty: all of them. Rows that have the
  /// same key are found one after the other, so that there should be few of them.
  explicit ServedRows(size_t shards, std::vector<size_t> key = {});
  ~ServedRows();

  size_t shards() const { return shards_.size(); }

  /// Makes room for about `rows` rows of a shard at once; only before the first of them.
  void Reserve(size_t shard, uint64_t rows);

  /// Adds a batch of changes to the next state of a shard: weights count up and down.
  void Apply(size_t shard, const Batch& batch);

  /// Makes what was applied visible as of these positions.
  void Publish(std::vector<Offset> position, std::vector<Offset> source_position)
      MR_EXCLUDES(mutex_);

  std::shared_ptr<const Root> root() const MR_EXCLUDES(mutex_);

 private:
  const std::vector<size_t> key_;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable Mutex mutex_;
  std::shared_ptr<const Root> published_ MR_GUARDED_BY(mutex_);
};

}  // namespace millrace

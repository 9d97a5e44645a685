#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/result.h"
#include "millrace/base/rng.h"

namespace millrace {

/// NDJSON records whose times can be written anew without building the text again.
class LoadBody {
 public:
  void Add(std::string_view text) { text_ += text; }
  /// A place for an event time, with its quotes.
  void AddTime();
  /// A place for a number of 16 digits that says when the request was due.
  void AddStamp();
  /// A place for a number of 9 digits; it holds `number` until SetKeys.
  void AddKey(uint64_t number);
  void EndRecord();

  /// Sets every record's time, on 2026-01-01, and stamp: `since` and `due` since the start.
  void SetTime(Micros since, Micros due);
  /// Gives every record another key, numbered from `first` on.
  void SetKeys(uint64_t first);
  /// What SetTime wrote for `due`, back from the number in a record.
  static Micros DueOf(int64_t stamp);

  const std::string& text() const { return text_; }
  size_t records() const { return records_; }

 private:
  std::string text_;
  std::vector<size_t> times_;
  std::vector<size_t> stamps_;
  std::vector<size_t> keys_;
  size_t records_ = 0;
};

/// Adds one record to a body.
using LoadRecordMaker = std::function<void(Rng&, LoadBody&)>;

/// A body of at least `bytes` or exactly `records_max` records, whichever is less.
LoadBody MakeLoadBody(const LoadRecordMaker& make, Rng& rng, size_t bytes, size_t records_max);

/// Web clicks of about 230 bytes: id, user_id, session, url, referrer, price, sent (a stamp), at.
/// `urls` different ones.
LoadRecordMaker MakeClicks(int urls);
/// The table that takes them.
std::string_view ClicksSql();

/// A column of any table, as the REST API describes it.
struct LoadColumn {
  std::string name;
  std::string type;
};
/// Random values for any columns; all times are the event time. kNotImplemented for a type it has
/// no values for.
Result<LoadRecordMaker> MakeRecords(const std::vector<LoadColumn>& columns);

}  // namespace millrace

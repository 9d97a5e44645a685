#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/base/mutex.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// The name that a stream, a reader or a source of a view has while the view is built beside the
/// one that serves.
std::string NextName(std::string_view name);
bool IsNextName(std::string_view name);

/// Which views are built beside those that serve. Thread-safe.
class NextViews {
 public:
  void Add(std::string_view view) MR_EXCLUDES(mutex_);
  void Remove(std::string_view view) MR_EXCLUDES(mutex_);
  /// The name under which what the views that are built call `name` is kept.
  std::string Resolve(std::string_view name) const MR_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  /// Names of streams, readers and sources by the one that they have later.
  std::map<std::string, std::string, std::less<>> names_ MR_GUARDED_BY(mutex_);
};

/// `base` for a pipeline that belongs to the views to come: under the name of a view that is built
/// anew it finds and makes the new one's streams, readers and sources, and the same ones once they
/// have got that name. `base` and `views` outlive the result.
std::unique_ptr<Transport> MakeNextSide(Transport& base, const NextViews& views);

/// What puts the next streams, reader and sources of a view in the place of those of now.
void AddReplacement(Transport& transport, std::string_view view, StreamChanges& changes);
/// What gives them up.
void AddRemoval(Transport& transport, std::string_view view, StreamChanges& changes);

}  // namespace millrace

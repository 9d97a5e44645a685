#pragma once

#include <string>

#include "millrace/base/error.h"

namespace millrace {

/// Where something that a user wrote stands.
struct SourceLocation {
  std::string file;  ///< What messages show: a path, or what else the text came from.
  int line = 0;      ///< From 1; 0 = none.
  int column = 0;    ///< From 1, in characters.

  std::string ToString() const;  ///< "file:line:column", without what is not known.

  friend bool operator==(const SourceLocation&, const SourceLocation&) = default;
};

/// One problem of a project, in its configuration or its SQL, and where it is.
struct ProjectError {
  SourceLocation location;  ///< Its file is empty when the problem is that something is missing.
  Error error;

  std::string ToString() const;  ///< "file:line:column: MR2005: message (hint)"
};

/// A problem with a file or directory as a whole.
ProjectError ErrorInFile(std::string file, Error error);

}  // namespace millrace

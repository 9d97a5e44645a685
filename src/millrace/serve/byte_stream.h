#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace millrace::serve {

/// A connected socket, seen from a connection. All calls and all callbacks happen on one thread,
/// that of the connection; callbacks never run inside a call. At most one read and one write are
/// under way.
class ByteStream {
 public:
  /// Told how reads and writes ended. Kept alive by the stream while one is under way.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// `size` bytes were read; 0 = the peer has ended or the stream is broken or closed.
    virtual void OnRead(size_t size) = 0;
    /// `size` bytes were written, of the first piece first; 0 = broken or closed.
    virtual void OnWritten(size_t size) = 0;
  };

  virtual ~ByteStream() = default;

  /// Once, before anything else.
  virtual void SetOwner(std::weak_ptr<Owner> owner) = 0;
  virtual void ReadSome(std::span<char> into) = 0;
  /// Writes some of two pieces, the second behind the first; one may be empty, not both.
  virtual void WriteSome(std::string_view first, std::string_view second) = 0;
  /// Ends our direction; reads go on.
  virtual void ShutdownSend() = 0;
  virtual void Close() = 0;
};

/// Runs functions on the thread of a connection. Thread-safe.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  /// Runs `function` later, never inside the call. Returns false, and drops it, when that thread
  /// has ended.
  virtual bool Post(std::function<void()> function) = 0;
  /// Whether the caller is on that thread.
  virtual bool IsCurrent() const = 0;
};

}  // namespace millrace::serve

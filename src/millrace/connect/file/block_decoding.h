#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"
#include "millrace/codec/record_decoder.h"
#include "millrace/connect/file/block_reader.h"
#include "millrace/connect/stream_ingestor.h"

namespace millrace {

/// A block of records on its way to the stream.
struct BlockDecoding {
  enum class State : uint8_t { kWaiting, kRunning, kDone };

  BufferPtr block;     ///< As it was read.
  BufferPtr records;   ///< Without the file's header.
  std::string header;  ///< Of the file; empty when it has none.

  StreamIngestor::Decoded decoded;  ///< Once done.

 private:
  friend class BlockDecoders;
  State state_ = State::kWaiting;  // Under the mutex of BlockDecoders.
};

/// Decodes blocks on the caller's thread, and ahead of it on threads of its own, each of which has
/// a decoder. The caller gets them in the order it likes, so that nothing depends on the threads.
class BlockDecoders {
 public:
  /// The first of `decoders` is the caller's. `ingestor` outlives this.
  BlockDecoders(const StreamIngestor& ingestor,
                std::vector<std::unique_ptr<RecordDecoder>> decoders);
  /// Waits for what is being decoded.
  ~BlockDecoders();

  /// Number of threads.
  size_t threads() const { return threads_.size(); }

  /// Takes the header off the first block of a file. The caller's thread, as for all below.
  void TakeHeader(const BufferPtr& block, BlockDecoding& decoding);
  /// Lets a thread decode it, if there is one, unless the caller lets go of it before.
  void Add(const std::shared_ptr<BlockDecoding>& decoding) MR_EXCLUDES(mutex_);
  /// Returns once it is decoded. Meanwhile the caller's thread decodes, this one or others.
  void Finish(const std::shared_ptr<BlockDecoding>& decoding) MR_EXCLUDES(mutex_);

 private:
  struct Worker {
    std::unique_ptr<RecordDecoder> decoder;
    std::string header;  ///< That the decoder goes by.
    DecodedRecords records;
  };

  void Loop(Worker& worker) MR_EXCLUDES(mutex_);
  /// Null when nothing waits.
  std::shared_ptr<BlockDecoding> TakeWaiting() MR_REQUIRES(mutex_);
  void Decode(Worker& worker, BlockDecoding& decoding) MR_EXCLUDES(mutex_);

  const StreamIngestor& ingestor_;
  std::vector<Worker> workers_;
  Mutex mutex_;
  CondVar work_;
  CondVar done_;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::deque<std::weak_ptr<BlockDecoding>> waiting_ MR_GUARDED_BY(mutex_);
  std::vector<Thread> threads_;  // Last: they end before all else goes.
};

}  // namespace millrace

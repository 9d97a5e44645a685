#include "millrace/connect/file/block_decoding.h"

#include <utility>

#include "millrace/base/bytes.h"

namespace millrace {

BlockDecoders::BlockDecoders(const StreamIngestor& ingestor,
                             std::vector<std::unique_ptr<RecordDecoder>> decoders)
    : ingestor_(ingestor) {
  workers_.reserve(decoders.size());
  threads_.reserve(decoders.size());
  for (auto& decoder : decoders) {
    workers_.push_back({.decoder = std::move(decoder), .header = {}, .records = {}});
  }
  for (size_t i = 1; i < workers_.size(); ++i) {
    threads_.emplace_back("mr-decoder", [this, i] { Loop(workers_[i]); });
  }
}

BlockDecoders::~BlockDecoders() {
  MutexLock lock(mutex_);
  stopping_ = true;
  work_.NotifyAll();
}

void BlockDecoders::TakeHeader(const BufferPtr& block, BlockDecoding& decoding) {
  Worker& own = workers_.front();
  const size_t header = own.decoder->TakeHeader(AsText(block->bytes()));
  own.header = AsText(block->bytes()).substr(0, header);
  decoding.header = own.header;
  decoding.records = std::make_shared<const Buffer>(block->bytes().subspan(header), block);
}

void BlockDecoders::Add(const std::shared_ptr<BlockDecoding>& decoding) {
  if (threads_.empty()) {
    return;
  }
  MutexLock lock(mutex_);
  waiting_.push_back(decoding);
  work_.NotifyOne();
}

std::shared_ptr<BlockDecoding> BlockDecoders::TakeWaiting() {
  while (!waiting_.empty()) {
    std::shared_ptr<BlockDecoding> decoding = waiting_.front().lock();
    waiting_.pop_front();
    if (decoding != nullptr && decoding->state_ == BlockDecoding::State::kWaiting) {
      decoding->state_ = BlockDecoding::State::kRunning;
      return decoding;
    }
  }
  return nullptr;
}

void BlockDecoders::Finish(const std::shared_ptr<BlockDecoding>& decoding) {
  using State = BlockDecoding::State;
  while (true) {
    std::shared_ptr<BlockDecoding> next;
    {
      MutexLock lock(mutex_);
      if (decoding->state_ == State::kWaiting) {
        decoding->state_ = State::kRunning;
        next = decoding;
        // Nobody else may look at the queue for long.
        std::erase_if(waiting_,
                      [&](const auto& each) { return each.expired() || each.lock() == decoding; });
      } else if (decoding->state_ == State::kRunning) {
        next = TakeWaiting();
        if (next == nullptr) {
          done_.Wait(mutex_);
        }
      } else {
        return;
      }
    }
    if (next != nullptr) {
      Decode(workers_.front(), *next);
    }
  }
}

void BlockDecoders::Loop(Worker& worker) {
  while (true) {
    std::shared_ptr<BlockDecoding> decoding;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && (decoding = TakeWaiting()) == nullptr) {
        work_.Wait(mutex_);
      }
      if (decoding == nullptr) {
        return;
      }
    }
    Decode(worker, *decoding);
  }
}

void BlockDecoders::Decode(Worker& worker, BlockDecoding& decoding) {
  if (worker.header != decoding.header) {
    worker.decoder->TakeHeader(AsText(PaddedBuffer(decoding.header)->bytes()));
    worker.header = decoding.header;
  }
  worker.decoder->Decode(decoding.records, worker.records);
  decoding.decoded = ingestor_.Complete(decoding.block, std::move(worker.records));
  MutexLock lock(mutex_);
  decoding.state_ = BlockDecoding::State::kDone;
  done_.NotifyAll();
}

}  // namespace millrace

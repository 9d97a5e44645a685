#pragma once

#include <functional>
#include <optional>

#include "millrace/app/platform.h"
#include "millrace/serve/ingest_service.h"

namespace millrace {

/// Brings the records of HTTP requests into the platform's streams. Decodes on the calling thread.
class PlatformIngest final : public serve::IngestService {
 public:
  explicit PlatformIngest(Platform& platform) : platform_(platform) {}

  void Submit(serve::IngestRequest request,
              std::function<void(Result<serve::IngestAnswer>)> done) override;

 private:
  void Take(StreamIngestor& ingestor, const StreamIngestor::Decoded& decoded,
            const std::optional<IdempotencyStore::Key>& key, uint64_t body_hash,
            const std::function<void(Result<serve::IngestAnswer>)>& done);

  Platform& platform_;
};

}  // namespace millrace

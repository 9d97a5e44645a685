#pragma once

#include <string>

#include "millrace/base/rng.h"
#include "millrace/data/batch.h"

namespace millrace::bench {

/// Records of about 230 bytes of JSON with seven columns, as benchmarks of codecs need them: as
/// NDJSON and as the batch that decoding it must give.
struct Records {
  SchemaPtr schema;
  std::string ndjson;
  BatchPtr batch;
};

/// Bids as the Nexmark generator makes them: half of the channels and URLs are hot, the rest and
/// `extra` are random text.
Records NexmarkBids(size_t rows, uint64_t seed);

/// Page views: a skewed user, path with a query, price, time, session, country and user agent.
Records WebClicks(size_t rows, uint64_t seed);

}  // namespace millrace::bench

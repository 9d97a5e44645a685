#include "millrace/app/platform_ingest.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "millrace/base/checksum.h"

namespace millrace {

namespace {

using StoredAnswer = IdempotencyStore::Answer;
using Done = std::function<void(Result<serve::IngestAnswer>)>;

StoredAnswer Summarize(const StreamIngestor::Decoded& decoded) {
  StoredAnswer answer{.accepted = decoded.accepted,
                      .errors_count = decoded.refused() + decoded.lost};
  const size_t shown = std::min(decoded.errors.size(), serve::IngestAnswer::kErrorsMax);
  for (size_t i = 0; i < shown; ++i) {
    const RecordError& error = decoded.errors[i];
    answer.errors.push_back({.index = error.record, .code = error.code, .message = error.message});
  }
  return answer;
}

void AddPositions(StreamId stream, const CommitResult& result, StoredAnswer& answer) {
  for (const AppendedRange& range : result.ranges) {
    if (range.stream != stream) {
      continue;
    }
    const auto known =
        std::ranges::find(answer.positions, range.partition, [](const auto& p) { return p.first; });
    if (known != answer.positions.end()) {
      known->second = range.end;
    } else {
      answer.positions.emplace_back(range.partition, range.end);
    }
  }
}

Offset OffsetIn(StreamId stream, const CommitResult& result) {
  const auto range = std::ranges::find(result.ranges, stream, &AppendedRange::stream);
  return range == result.ranges.end() ? Offset() : range->begin;
}

serve::IngestAnswer AnswerOf(const StoredAnswer& stored) {
  serve::IngestAnswer answer;
  answer.accepted = stored.accepted;
  answer.errors_count = stored.errors_count;
  for (const StoredAnswer::RecordError& error : stored.errors) {
    answer.errors.push_back({.index = error.index, .code = error.code, .message = error.message});
  }
  for (const auto& [partition, next] : stored.positions) {
    answer.positions.push_back({.partition = partition, .next = next});
    fmt::format_to(std::back_inserter(answer.position), "{}{}:{}",
                   answer.position.empty() ? "" : ",", partition, next);
  }
  return answer;
}

void Answer(const Done& done, const Result<IdempotencyStore::AnswerPtr>& answer) {
  if (answer) {
    done(AnswerOf(**answer));
  } else {
    done(Err(answer.error()));
  }
}

}  // namespace

void PlatformIngest::Submit(serve::IngestRequest request, Done done) {
  StreamIngestor* ingestor = platform_.FindIngestor(request.stream);
  if (ingestor == nullptr) {
    done(Err(ErrorCode::kStreamNotFound, fmt::format("there is no table {}", request.stream)));
    return;
  }
  if (platform_.FindSource(request.stream) != nullptr) {
    done(Err(ErrorCode::kHttpMethodNotAllowed,
             fmt::format("table {} is filled by its own source", request.stream)));
    return;
  }
  std::optional<IdempotencyStore::Key> key;
  uint64_t body_hash = 0;
  if (request.idempotency_key) {
    key = {request.token, request.stream, *request.idempotency_key};
    body_hash = Xxh3(request.body.text());
    const bool is_new = platform_.idempotency().Begin(
        *key, body_hash, [done](const auto& answer) { Answer(done, answer); });
    if (!is_new) {
      return;
    }
  }
  const JsonFraming framing =
      request.format == serve::BodyFormat::kNdjson ? JsonFraming::kLines : JsonFraming::kDocument;
  Take(*ingestor, ingestor->Decode(serve::ShareBody(std::move(request.body)), framing), key,
       body_hash, done);
}

void PlatformIngest::Take(StreamIngestor& ingestor, const StreamIngestor::Decoded& decoded,
                          const std::optional<IdempotencyStore::Key>& key, uint64_t body_hash,
                          const Done& done) {
  IdempotencyStore& idempotency = platform_.idempotency();
  auto answer = std::make_shared<StoredAnswer>(Summarize(decoded));
  const auto finish = [&idempotency, key, done](Result<IdempotencyStore::AnswerPtr> result,
                                                Offset offset) {
    if (key) {
      idempotency.Finish(*key, result, offset);
    }
    Answer(done, result);
  };
  StreamIngestor::Extend extend;
  if (key) {
    extend = [&](EpochWriter& writer, const std::vector<PartitionId>& partitions) {
      idempotency.AddTo(writer, *key, body_hash, *answer, partitions);
    };
  }
  const auto taken = ingestor.Commit(
      decoded, {}, extend,
      [answer, finish, stream = ingestor.stream(),
       keys = idempotency.stream()](const CommitResult& result) {
        if (result.outcome != CommitOutcome::kCommitted) {
          finish(Err(result.error->WithHint("it is not known whether the records were taken; send "
                                            "them again with the same Idempotency-Key")),
                 Offset());
          return;
        }
        AddPositions(stream, result, *answer);
        finish(IdempotencyStore::AnswerPtr(answer), OffsetIn(keys, result));
      });
  if (!taken) {
    finish(Err(taken.error()), Offset());
  }
}

}  // namespace millrace

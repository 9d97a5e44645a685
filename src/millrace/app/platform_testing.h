#pragma once

// A whole platform over the simulated file system, asked through the interfaces that the HTTP
// routes use.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "millrace/app/platform.h"
#include "millrace/app/platform_feeds.h"
#include "millrace/app/platform_figures.h"
#include "millrace/app/platform_ingest.h"
#include "millrace/app/platform_queries.h"
#include "millrace/app/platform_sql.h"
#include "millrace/base/mutex.h"
#include "millrace/base/simulated_file_system.h"

namespace millrace {

/// Waits for one answer from another thread.
template <typename T>
class Answer {
 public:
  std::function<void(Result<T>)> Taker() {
    return [this](Result<T> result) {
      MutexLock lock(mutex_);
      result_ = std::move(result);
      there_.NotifyAll();
    };
  }

  Result<T> Get() {
    MutexLock lock(mutex_);
    while (!result_) {
      MR_CHECK(there_.WaitFor(mutex_, std::chrono::seconds(60)) || result_, "no answer");
    }
    return *std::move(result_);
  }

  /// Returns when it is there, or after a moment.
  void WaitBriefly() {
    MutexLock lock(mutex_);
    if (!result_) {
      there_.WaitFor(mutex_, std::chrono::milliseconds(10));
    }
  }

 private:
  Mutex mutex_;
  CondVar there_;
  std::optional<Result<T>> result_ MR_GUARDED_BY(mutex_);
};

/// A platform over a simulated disk, whose project is `sql`.
class PlatformFixture : public ::testing::Test {
 protected:
  void TearDown() override { Stop(); }

  void Start(std::string_view sql) {
    const SqlFile file{.path = "test.sql", .text = std::string(sql)};
    auto definition = CompileProject(std::span(&file, 1), {}, nullptr);
    ASSERT_TRUE(definition) << definition.error().ToString();
    auto platform = Platform::Start(
        {.directory = "/", .definition = *std::move(definition), .text = {.files = {file}}}, files_,
        clock_, Options());
    ASSERT_TRUE(platform) << platform.error().ToString();
    platform_ = *std::move(platform);
    ingest_ = std::make_unique<PlatformIngest>(*platform_);
    figures_ = std::make_unique<PlatformFigures>(*platform_);
    waits_ = std::make_unique<PositionWaits>(*platform_);
    queries_ = std::make_unique<PlatformQueries>(*platform_, *figures_, *waits_, QueryMetrics());
    sql_ = std::make_unique<PlatformSql>(*platform_, *waits_, QueryOptions(), SqlMetrics());
    feeds_ = std::make_unique<PlatformFeeds>(*platform_, FeedMetrics());
  }

  virtual Platform::Options Options() {
    Platform::Options options;
    options.data_dir = "/data";
    options.engine.workers = 1;
    return options;
  }

  void Stop() {
    feeds_.reset();
    sql_.reset();
    queries_.reset();
    waits_.reset();
    figures_.reset();
    ingest_.reset();
    platform_.reset();
  }

  Result<serve::IngestAnswer> Post(std::string_view body, std::optional<std::string> key = {},
                                   std::string stream = "clicks") {
    Answer<serve::IngestAnswer> answer;
    ingest_->Submit({.stream = std::move(stream),
                     .body = serve::RequestBody::Copy(body),
                     .format = serve::BodyFormat::kNdjson,
                     .idempotency_key = std::move(key),
                     .token = "t"},
                    answer.Taker());
    return answer.Get();
  }

  Result<std::string> Query(serve::ViewQuery query) {
    Answer<std::string> answer;
    queries_->QueryView(std::move(query), answer.Taker());
    return answer.Get();
  }

  Result<std::string> RunSql(serve::SqlRequest request) {
    Answer<std::string> answer;
    sql_->Query(std::move(request), answer.Taker());
    return answer.Get();
  }

  Result<std::string> Records(serve::RecordsQuery query) {
    Answer<std::string> answer;
    queries_->ReadRecords(std::move(query), answer.Taker());
    return answer.Get();
  }

  Result<std::unique_ptr<serve::EventSource>> OpenFeed(serve::FeedRequest request) {
    Answer<std::unique_ptr<serve::EventSource>> answer;
    feeds_->Open(std::move(request), answer.Taker());
    return answer.Get();
  }

  /// What the feed gives until `end` is among it.
  static std::string ReadUntil(serve::EventSource& source, std::string_view end) {
    Mutex mutex;
    CondVar wakeup;
    int wakes = 0;
    source.Start([&] {
      MutexLock lock(mutex);
      ++wakes;
      wakeup.NotifyAll();
    });
    std::string text;
    while (!text.contains(end)) {
      const auto chunk = source.Next(SIZE_MAX);
      text += chunk.bytes;
      MutexLock lock(mutex);
      if (chunk.bytes.empty() && wakes == 0) {
        MR_CHECK(wakeup.WaitFor(mutex, std::chrono::seconds(60)) || wakes > 0, "no event");
      }
      wakes = 0;
    }
    source.Start([] {});
    return text;
  }

  SimulatedFileSystem files_{1};
  ManualClock clock_{1'767'225'600'000'000};  // 2026-01-01
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<PlatformIngest> ingest_;
  std::unique_ptr<PlatformFigures> figures_;
  std::unique_ptr<PositionWaits> waits_;
  std::unique_ptr<PlatformQueries> queries_;
  std::unique_ptr<PlatformSql> sql_;
  std::unique_ptr<PlatformFeeds> feeds_;
};

}  // namespace millrace

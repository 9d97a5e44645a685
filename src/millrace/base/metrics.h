#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// Metrics are counted per batch, never per row. Handles are cheap to copy, thread-safe, and valid
// as long as the registry; a default-constructed one counts nothing.

/// Only goes up.
class Counter {
 public:
  Counter() = default;
  /// `by` >= 0.
  void Add(double by = 1) const;
  double value() const;

 private:
  friend class MetricsRegistry;
  explicit Counter(void* metric) : metric_(metric) {}
  void* metric_ = nullptr;
};

/// Goes up and down.
class Gauge {
 public:
  Gauge() = default;
  void Set(double value) const;
  void Add(double by) const;
  double value() const;

 private:
  friend class MetricsRegistry;
  explicit Gauge(void* metric) : metric_(metric) {}
  void* metric_ = nullptr;
};

/// Counts observations by size.
class Histogram {
 public:
  Histogram() = default;
  void Observe(double value) const;

 private:
  friend class MetricsRegistry;
  explicit Histogram(void* metric) : metric_(metric) {}
  void* metric_ = nullptr;
};

/// What a family of metrics is. Name: millrace_<area>_<what>_<unit>, counters with _total behind,
/// e.g. millrace_stream_commit_seconds, millrace_http_requests_total (a count of things has no
/// unit).
struct MetricSpec {
  std::string name;
  std::string help;  ///< One sentence.
  std::string unit;  ///< seconds, bytes, rows, ratio, ... or empty for a count of things.
};

/// Few, and never with unbounded values.
using MetricLabels = std::map<std::string, std::string>;

/// One row of the generated reference.
struct MetricFamilyInfo {
  enum class Kind : uint8_t { kCounter, kGauge, kHistogram };
  MetricSpec spec;
  Kind kind = Kind::kCounter;
};

/// Takes values that a component keeps itself, at the moment they are asked for.
class MetricsWriter {
 public:
  /// `name`: a counter or gauge among the collector's families; another one aborts.
  void Value(std::string_view name, const MetricLabels& labels, double value);
  /// `name`: a histogram among them. `counts` has one more item than the ascending `bounds`: what
  /// was larger than all.
  void Distribution(std::string_view name, const MetricLabels& labels,
                    std::span<const double> bounds, std::span<const uint64_t> counts, double sum);

 private:
  friend class MetricsRegistry;
  class Body;
  explicit MetricsWriter(Body& body) : body_(body) {}

  Body& body_;
};

/// All metrics of a process; owned by app, passed to components. Thread-safe. Asking twice for the
/// same name and labels gives the same metric; another kind, help or a name against the rules
/// aborts.
class MetricsRegistry {
 public:
  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  Counter AddCounter(const MetricSpec& spec, const MetricLabels& labels = {});
  Gauge AddGauge(const MetricSpec& spec, const MetricLabels& labels = {});
  /// `bounds`: ascending upper limits of the buckets.
  Histogram AddHistogram(const MetricSpec& spec, const std::vector<double>& bounds,
                         const MetricLabels& labels = {});

  using Collector = std::function<void(MetricsWriter&)>;
  /// Keeps a collector until it is destroyed; not longer than the registry.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&& other) noexcept;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration();

   private:
    friend class MetricsRegistry;
    Registration(MetricsRegistry* registry, uint64_t id) : registry_(registry), id_(id) {}

    MetricsRegistry* registry_ = nullptr;
    uint64_t id_ = 0;
  };
  /// Calls `collect` at each Render, on its thread; it must be quick and not call back. After the
  /// registration's end it is not called any more. A family belongs to one collector.
  [[nodiscard]] Registration AddCollector(std::vector<MetricFamilyInfo> families,
                                          Collector collect);

  /// Renders Prometheus text format 0.0.4.
  std::string Render() const;
  /// Ascending by name.
  std::vector<MetricFamilyInfo> Families() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

/// Bucket bounds for latencies: 100 us to 60 s, about 3 a decade, in seconds.
std::vector<double> LatencyBounds();

}  // namespace millrace

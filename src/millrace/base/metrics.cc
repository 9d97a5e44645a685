#include "millrace/base/metrics.h"

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "millrace/base/check.h"
#include "millrace/base/mutex.h"

namespace millrace {

namespace {

using Kind = MetricFamilyInfo::Kind;

bool FollowsRules(const MetricSpec& spec, Kind kind) {
  std::string_view name = spec.name;
  const bool plain = std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  if (!plain || !name.starts_with("millrace_") || spec.help.empty()) {
    return false;
  }
  if (name.ends_with("_total") != (kind == Kind::kCounter)) {
    return false;
  }
  if (kind == Kind::kCounter) {
    name.remove_suffix(std::string_view("_total").size());
  }
  return spec.unit.empty() || name.ends_with("_" + spec.unit);
}

prometheus::MetricType TypeOf(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case Kind::kHistogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

}  // namespace

/// The families of one collector, filled by it.
class MetricsWriter::Body {
 public:
  explicit Body(const std::vector<MetricFamilyInfo>& families) {
    for (const MetricFamilyInfo& family : families) {
      families_.push_back({.name = family.spec.name,
                           .help = family.spec.help,
                           .type = TypeOf(family.kind),
                           .metric = {}});
    }
  }

  prometheus::ClientMetric& Add(std::string_view name, const MetricLabels& labels,
                                bool is_histogram) {
    const auto family =
        std::ranges::find(families_, name, [](const auto& each) { return each.name; });
    MR_CHECK(family != families_.end(), "metric {}", name);
    MR_CHECK((family->type == prometheus::MetricType::Histogram) == is_histogram, "metric {}",
             name);
    prometheus::ClientMetric& metric = family->metric.emplace_back();
    for (const auto& [label, value] : labels) {
      metric.label.push_back({.name = label, .value = value});
    }
    return metric;
  }

  std::vector<prometheus::MetricFamily> Finish() {
    std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
    return std::move(families_);
  }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

void MetricsWriter::Value(std::string_view name, const MetricLabels& labels, double value) {
  prometheus::ClientMetric& metric = body_.Add(name, labels, false);
  metric.counter.value = value;
  metric.gauge.value = value;
}

void MetricsWriter::Distribution(std::string_view name, const MetricLabels& labels,
                                 std::span<const double> bounds, std::span<const uint64_t> counts,
                                 double sum) {
  MR_CHECK(counts.size() == bounds.size() + 1, "metric {}", name);
  prometheus::ClientMetric::Histogram& histogram = body_.Add(name, labels, true).histogram;
  uint64_t count = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    count += counts[i];
    histogram.bucket.push_back(
        {.cumulative_count = count,
         .upper_bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_count = count;
  histogram.sample_sum = sum;
}

class MetricsRegistry::Body {
 public:
  template <typename Metric, typename Builder, typename... Arguments>
  Metric* Add(Kind kind, Builder builder, const MetricSpec& spec, const MetricLabels& labels,
              const Arguments&... arguments) {
    MR_CHECK(FollowsRules(spec, kind), "metric {}", spec.name);
    MutexLock lock(mutex_);
    const auto [known, is_new] =
        families_.try_emplace(spec.name, MetricFamilyInfo{.spec = spec, .kind = kind});
    MR_CHECK(known->second.kind == kind && known->second.spec.help == spec.help, "metric {}",
             spec.name);
    auto& family = builder.Name(spec.name).Help(spec.help).Register(registry_);
    return &family.Add(labels, arguments...);
  }

  uint64_t AddCollector(std::vector<MetricFamilyInfo> families, Collector collect) {
    MutexLock lock(mutex_);
    for (const MetricFamilyInfo& family : families) {
      MR_CHECK(FollowsRules(family.spec, family.kind), "metric {}", family.spec.name);
      MR_CHECK(families_.try_emplace(family.spec.name, family).second, "metric {}",
               family.spec.name);
    }
    MutexLock collectors_lock(collectors_mutex_);
    collectors_.emplace(++last_collector_, std::pair(std::move(families), std::move(collect)));
    return last_collector_;
  }

  void RemoveCollector(uint64_t id) {
    MutexLock lock(mutex_);
    MutexLock collectors_lock(collectors_mutex_);
    for (const MetricFamilyInfo& family : collectors_.at(id).first) {
      families_.erase(family.spec.name);
    }
    collectors_.erase(id);
  }

  /// Ascending by name.
  std::vector<prometheus::MetricFamily> Collect() {
    std::vector<prometheus::MetricFamily> all = registry_.Collect();
    {
      MutexLock lock(collectors_mutex_);
      for (const auto& [id, collector] : collectors_) {
        MetricsWriter::Body body(collector.first);
        MetricsWriter writer(body);
        collector.second(writer);
        std::ranges::move(body.Finish(), std::back_inserter(all));
      }
    }
    std::ranges::sort(all, {},
                      [](const auto& family) -> const std::string& { return family.name; });
    return all;
  }

  std::vector<MetricFamilyInfo> Families() {
    MutexLock lock(mutex_);
    std::vector<MetricFamilyInfo> families;
    families.reserve(families_.size());
    for (const auto& [name, family] : families_) {
      families.push_back(family);
    }
    return families;
  }

 private:
  // The library merges families of one name, so that repeated calls meet in one.
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
  Mutex mutex_;
  std::map<std::string, MetricFamilyInfo> families_ MR_GUARDED_BY(mutex_);
  /// Behind mutex_ where both are held.
  Mutex collectors_mutex_;
  std::map<uint64_t, std::pair<std::vector<MetricFamilyInfo>, Collector>> collectors_
      MR_GUARDED_BY(collectors_mutex_);
  uint64_t last_collector_ MR_GUARDED_BY(collectors_mutex_) = 0;
};

MetricsRegistry::MetricsRegistry() : body_(std::make_unique<Body>()) {}
MetricsRegistry::~MetricsRegistry() = default;

Counter MetricsRegistry::AddCounter(const MetricSpec& spec, const MetricLabels& labels) {
  return Counter(
      body_->Add<prometheus::Counter>(Kind::kCounter, prometheus::BuildCounter(), spec, labels));
}

Gauge MetricsRegistry::AddGauge(const MetricSpec& spec, const MetricLabels& labels) {
  return Gauge(body_->Add<prometheus::Gauge>(Kind::kGauge, prometheus::BuildGauge(), spec, labels));
}

Histogram MetricsRegistry::AddHistogram(const MetricSpec& spec, const std::vector<double>& bounds,
                                        const MetricLabels& labels) {
  return Histogram(body_->Add<prometheus::Histogram>(Kind::kHistogram, prometheus::BuildHistogram(),
                                                     spec, labels, bounds));
}

MetricsRegistry::Registration MetricsRegistry::AddCollector(std::vector<MetricFamilyInfo> families,
                                                            Collector collect) {
  return {this, body_->AddCollector(std::move(families), std::move(collect))};
}

MetricsRegistry::Registration::Registration(Registration&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}

MetricsRegistry::Registration& MetricsRegistry::Registration::operator=(
    Registration&& other) noexcept {
  std::swap(registry_, other.registry_);
  std::swap(id_, other.id_);
  return *this;
}

MetricsRegistry::Registration::~Registration() {
  if (registry_ != nullptr) {
    registry_->body_->RemoveCollector(id_);
  }
}

std::string MetricsRegistry::Render() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, body_->Collect());
  return std::move(out).str();
}

std::vector<MetricFamilyInfo> MetricsRegistry::Families() const { return body_->Families(); }

void Counter::Add(double by) const {
  if (metric_ != nullptr) {
    static_cast<prometheus::Counter*>(metric_)->Increment(by);
  }
}

double Counter::value() const {
  return metric_ == nullptr ? 0 : static_cast<prometheus::Counter*>(metric_)->Value();
}

void Gauge::Set(double value) const {
  if (metric_ != nullptr) {
    static_cast<prometheus::Gauge*>(metric_)->Set(value);
  }
}

void Gauge::Add(double by) const {
  if (metric_ != nullptr) {
    static_cast<prometheus::Gauge*>(metric_)->Increment(by);
  }
}

double Gauge::value() const {
  return metric_ == nullptr ? 0 : static_cast<prometheus::Gauge*>(metric_)->Value();
}

void Histogram::Observe(double value) const {
  if (metric_ != nullptr) {
    static_cast<prometheus::Histogram*>(metric_)->Observe(value);
  }
}

std::vector<double> LatencyBounds() {
  return {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
          0.1,    0.2,    0.5,    1,     2,     5,     10,   30,   60};
}

}  // namespace millrace

#include "millrace/base/metrics.h"

#include <algorithm>
#include <sstream>

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

}  // namespace

class MetricsRegistry::Body {
 public:
  template <typename Metric, typename Builder, typename... Arguments>
  Metric* Add(Kind kind, Builder builder, const MetricSpec& spec, const MetricLabels& labels,
              const Arguments&... arguments) {
    MR_CHECK(FollowsRules(spec, kind), "metric {}", spec.name);
    MutexLock lock(mutex_);
    const auto known = families_.find(spec.name);
    if (known == families_.end()) {
      families_.emplace(spec.name, MetricFamilyInfo{.spec = spec, .kind = kind});
    } else {
      MR_CHECK(known->second.kind == kind && known->second.spec.help == spec.help, "metric {}",
               spec.name);
    }
    auto& family = builder.Name(spec.name).Help(spec.help).Register(registry_);
    return &family.Add(labels, arguments...);
  }

  std::vector<prometheus::MetricFamily> Collect() const { return registry_.Collect(); }

  std::vector<MetricFamilyInfo> Families() {
    MutexLock lock(mutex_);
    std::vector<MetricFamilyInfo> families;
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

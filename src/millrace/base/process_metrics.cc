#include "millrace/base/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace millrace {

namespace {

constexpr std::string_view kResident = "millrace_process_resident_memory_bytes";
constexpr std::string_view kPeakResident = "millrace_process_peak_resident_memory_bytes";
constexpr std::string_view kCpu = "millrace_process_cpu_seconds_total";
constexpr std::string_view kDescriptors = "millrace_process_open_descriptors";
constexpr std::string_view kDescriptorsMax = "millrace_process_descriptors_max";
constexpr std::string_view kStart = "millrace_process_start_time_seconds";

/// proc(5): the second number of statm is the resident memory in pages.
std::optional<uint64_t> ResidentPages(FileSystem& files) {
  std::array<char, 256> buffer{};
  const auto file = files.Open("/proc/self/statm", OpenMode::kRead);
  if (!file) {
    return std::nullopt;
  }
  const auto size = (*file)->ReadAt(0, std::as_writable_bytes(std::span(buffer)));
  if (!size) {
    return std::nullopt;
  }
  std::string_view text(buffer.data(), *size);
  text.remove_prefix(std::min(text.find(' ') + 1, text.size()));
  uint64_t pages = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pages);
  return error == std::errc() ? std::optional(pages) : std::nullopt;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::vector<MetricFamilyInfo> ProcessMetrics::Families() {
  using Kind = MetricFamilyInfo::Kind;
  return {
      {{std::string(kResident), "Memory that is in use and not swapped out.", "bytes"},
       Kind::kGauge},
      {{std::string(kPeakResident), "The most of it since the start.", "bytes"}, Kind::kGauge},
      {{std::string(kCpu), "Processor time, in the program and in the system for it.", "seconds"},
       Kind::kCounter},
      {{std::string(kDescriptors), "Open file descriptors.", ""}, Kind::kGauge},
      {{std::string(kDescriptorsMax), "Most file descriptors that may be open.", ""}, Kind::kGauge},
      {{std::string(kStart), "When the process started, since 1970.", "seconds"}, Kind::kGauge},
  };
}

void ProcessMetrics::Collect(MetricsWriter& writer) const {
  if (const auto pages = ResidentPages(files_)) {
    writer.Value(kResident, {},
                 static_cast<double>(*pages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    constexpr double kKibibyte = 1024;
    writer.Value(kPeakResident, {}, static_cast<double>(usage.ru_maxrss) * kKibibyte);
    writer.Value(kCpu, {}, Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  }
  if (const auto entries = files_.List("/proc/self/fd")) {
    writer.Value(kDescriptors, {}, static_cast<double>(entries->size()));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    writer.Value(kDescriptorsMax, {}, static_cast<double>(limit.rlim_cur));
  }
  writer.Value(kStart, {}, static_cast<double>(start_micros_) / 1e6);
}

}  // namespace millrace

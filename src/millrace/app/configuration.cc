#include "millrace/app/configuration.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "millrace/base/logging_options.h"
#include "millrace/stream/embedded/embedded_options.h"

namespace millrace {

namespace {

constexpr std::string_view kFileName = "millrace.yaml";
constexpr std::string_view kPathVariable = "CONFIG_PATH=";
constexpr uint64_t kFileBytesMax = 1 << 20;

using Places = Configuration::Places;

Status CheckTransport(const Places& places) {
  if (places.transport == TransportKind::kKafka) {
    return Err(Error(ErrorCode::kNotImplemented, "the Kafka transport is not there yet")
                   .WithHint("set transport: embedded"));
  }
  return {};
}

const OptionTable<Places>& PlacesOptionTable() {
  static const OptionTable<Places> kTable = [] {
    OptionTable<Places> table;
    table.Add("project_dir", &Places::project_dir,
              "Directory of the *.sql files; without, that of the configuration file.");
    table.Add("data_dir", &Places::data_dir,
              "Directory of everything durable; without, `data` in project_dir.");
    table
        .AddChoice("transport", &Places::transport,
                   {{"embedded", TransportKind::kEmbedded}, {"kafka", TransportKind::kKafka}},
                   "What holds the streams: files of this machine, or Kafka.")
        .Check(CheckTransport);
    return table;
  }();
  return kTable;
}

/// Finds and reads the configuration file.
class FileReader {
 public:
  FileReader(FileSystem& files, const ConfigurationRequest& request)
      : files_(files), request_(request) {}

  void ReadInto(OptionSources& sources, LoadedConfiguration& loaded) {
    const bool is_named = request_.directory.empty() && !PathVariable().empty();
    const std::string path = is_named                     ? PathVariable()
                             : request_.directory.empty() ? std::string(kFileName)
                                                          : JoinPath(request_.directory, kFileName);
    directory_ = path == kFileName ? "." : ParentPath(path);
    const auto text = ReadWholeFile(files_, path, kFileBytesMax);
    if (text) {
      loaded.file = path;
      sources.AddYaml(*text, path, loaded.errors);
    } else if (is_named || text.error().code() != ErrorCode::kFileNotFound) {
      const Error error(
          ErrorCode::kProjectNotFound,
          fmt::format("cannot read the configuration file: {}", text.error().message()));
      loaded.errors.push_back(ErrorInFile(path, error.WithHint(is_named ? "see CONFIG_PATH" : "")));
    }
  }

  /// Where the file is, or would be.
  const std::string& directory() const { return directory_; }

 private:
  std::string PathVariable() const {
    for (const std::string& variable : request_.environment) {
      if (variable.starts_with(kPathVariable)) {
        return variable.substr(kPathVariable.size());
      }
    }
    return {};
  }

  FileSystem& files_;
  const ConfigurationRequest& request_;
  std::string directory_;
};

/// A path of the file is relative to the file.
void Anchor(const OptionSources& sources, std::string_view option, const std::string& directory,
            std::string& path) {
  const Setting* setting = sources.Find(option);
  if (setting != nullptr && setting->origin.kind == SettingOrigin::Kind::kFile && !path.empty() &&
      !path.starts_with('/') && directory != ".") {
    path = JoinPath(directory, path);
  }
}

void SetText(std::vector<OptionReading>& readings, std::string_view name, const std::string& text) {
  std::ranges::find(readings, name, &OptionReading::name)->text = text;
}

void FindPlaces(const OptionSources& sources, const std::string& directory,
                LoadedConfiguration& loaded) {
  Places& places = loaded.values.places;
  Anchor(sources, "project_dir", directory, places.project_dir);
  Anchor(sources, "data_dir", directory, places.data_dir);
  if (places.project_dir.empty()) {
    places.project_dir = directory;
  }
  if (places.data_dir.empty()) {
    places.data_dir = JoinPath(places.project_dir, "data");
  }
  SetText(loaded.readings, "project_dir", places.project_dir);
  SetText(loaded.readings, "data_dir", places.data_dir);
}

/// What only several options together can get wrong.
void CheckTogether(const OptionSources& sources, LoadedConfiguration& loaded) {
  const Configuration& values = loaded.values;
  const Status http = CheckHttpOptions(values.http, !values.auth.tokens.empty());
  if (!http) {
    const Setting* listen = sources.Find("http.listen");
    loaded.errors.push_back(
        {listen == nullptr ? SourceLocation{} : listen->origin.location, http.error()});
  }
}

}  // namespace

std::vector<OptionSection> ConfigurationSections() {
  return {{"Places", &PlacesOptionTable()},
          {"HTTP server", &serve::HttpOptionTable()},
          {"Authentication", &serve::AuthOptionTable()},
          {"Engine", &EngineOptionTable()},
          {"Queries", &QueryOptionTable()},
          {"Storage", &EmbeddedOptionTable()},
          {"Logging", &LogOptionTable()},
          {"Processing", &ProcessingOptionTable()}};
}

LoadedConfiguration LoadConfiguration(FileSystem& files, const ConfigurationRequest& request) {
  LoadedConfiguration loaded;
  OptionSources sources;
  FileReader reader(files, request);
  reader.ReadInto(sources, loaded);
  sources.AddEnvironment(request.environment);
  for (const OptionFlag& flag : request.flags) {
    sources.AddFlag(flag);
  }
  const auto read = [&](const auto& table, auto& target) {
    target = table.Read(sources, loaded.errors, &loaded.readings);
  };
  Configuration& values = loaded.values;
  read(PlacesOptionTable(), values.places);
  const size_t errors_before = loaded.errors.size();
  read(serve::HttpOptionTable(), values.http);
  read(serve::AuthOptionTable(), values.auth);
  const bool serving_is_read = loaded.errors.size() == errors_before;
  read(EngineOptionTable(), values.engine);
  read(EmbeddedOptionTable(), values.storage);
  read(LogOptionTable(), values.logging);
  read(ProcessingOptionTable(), values.processing);
  read(QueryOptionTable(), values.query);
  std::vector<const OptionTableBase*> tables;
  for (const OptionSection& section : ConfigurationSections()) {
    tables.push_back(section.table);
  }
  RefuseUnknownOptions(sources, tables, loaded.errors);
  FindPlaces(sources, reader.directory(), loaded);
  if (serving_is_read) {
    CheckTogether(sources, loaded);
  }
  std::ranges::stable_sort(loaded.errors, {}, [](const ProjectError& error) {
    return std::tie(error.location.file, error.location.line, error.location.column);
  });
  return loaded;
}

std::vector<OptionReading> UnusedOptions(const LoadedConfiguration& configuration) {
  std::vector<OptionReading> unused;
  for (const OptionReading& reading : configuration.readings) {
    if (!reading.only_for.empty() && reading.origin.kind != SettingOrigin::Kind::kDefault) {
      unused.push_back(reading);
    }
  }
  return unused;
}

}  // namespace millrace

#include <cstddef>
#include <cstdint>
#include <string>

#include "millrace/sql/compile_project.h"

// SQL text to plans: any text gives definitions or errors, and every plan can be shown.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const millrace::SqlFile file{"fuzz.sql", std::string(reinterpret_cast<const char*>(data), size)};
  const auto project = millrace::CompileProject({&file, 1}, {}, nullptr);
  if (project) {
    for (const millrace::ViewDefinition& view : project->views) {
      (void)millrace::ExplainPlan(*view.plan);
    }
  }
  return 0;
}

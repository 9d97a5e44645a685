#include "millrace/app/check_command.h"
#include "millrace/app/config_command.h"
#include "millrace/app/reference_command.h"
#include "millrace/app/run_command.h"
#include "millrace/cli/command_line.h"

int main(int argc, char** argv) {
  return millrace::RunCommandLine(argc, argv, MILLRACE_VERSION,
                                  {.run = millrace::RunProject,
                                   .check = millrace::CheckProject,
                                   .print_config = millrace::PrintConfiguration,
                                   .print_reference = millrace::PrintReference});
}

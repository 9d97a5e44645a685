#include "millrace/app/run_command.h"
#include "millrace/cli/command_line.h"

int main(int argc, char** argv) {
  return millrace::RunCommandLine(argc, argv, MILLRACE_VERSION,
                                  {.run = millrace::RunProject, .check = millrace::CheckProject});
}

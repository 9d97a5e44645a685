# The ways to build something of ours. Sources are listed, never globbed:
# tools/check_style.py fails on a source that no CMakeLists.txt names.

include_guard(GLOBAL)

add_custom_target(millrace_fuzzers)
add_custom_target(millrace_benchmarks)

# Reads "DEPS base data" into millrace::base;millrace::data.
function(_millrace_targets OUT)
  list(TRANSFORM ARGN PREPEND millrace::)
  set(${OUT} ${ARGN} PARENT_SCOPE)
endfunction()

# Fails on arguments nobody reads: a misspelt keyword would drop its sources.
macro(_millrace_parse PREFIX ONE MANY)
  cmake_parse_arguments(PARSE_ARGV 0 ${PREFIX} "" "${ONE}" "${MANY}")
  if(${PREFIX}_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${${PREFIX}_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ${PREFIX}_NAME)
    message(FATAL_ERROR "NAME is missing")
  endif()
endmacro()

# millrace_library(NAME <folder>
#   SOURCES <a.cc>...      none: a header-only library
#   DEPS <folder>...       other libraries of ours, public
#   LIBS <target>...       external libraries, public (cmake/Dependencies.cmake)
#   TESTS <a_test.cc>...   one gtest executable from all of them
#   TEST_DEPS <folder>...  what only the tests need
#   TEST_LIBS <target>...)
#
# Makes the static library millrace_<folder>, alias millrace::<folder>, and the
# tests millrace_<folder>_test. ctest names them <folder>.<Suite>.<Case>.
function(millrace_library)
  _millrace_parse(arg "NAME" "SOURCES;DEPS;LIBS;TESTS;TEST_DEPS;TEST_LIBS")
  set(target millrace_${arg_NAME})
  _millrace_targets(deps ${arg_DEPS})
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PUBLIC millrace_flags ${deps} ${arg_LIBS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE millrace_flags ${deps} ${arg_LIBS})
  endif()
  add_library(millrace::${arg_NAME} ALIAS ${target})
  set_property(GLOBAL APPEND PROPERTY MILLRACE_LIBRARIES ${target})

  if(arg_TESTS AND MILLRACE_TESTS)
    millrace_test(NAME ${arg_NAME} SOURCES ${arg_TESTS}
      DEPS ${arg_NAME} ${arg_TEST_DEPS} LIBS ${arg_TEST_LIBS})
  endif()
endfunction()

# millrace_test(NAME <name> SOURCES <a_test.cc>... DEPS <folder>... LIBS <target>...)
# A gtest executable millrace_<name>_test; for tests that belong to no folder.
function(millrace_test)
  _millrace_parse(arg "NAME" "SOURCES;DEPS;LIBS")
  if(NOT MILLRACE_TESTS)
    return()
  endif()
  set(target millrace_${arg_NAME}_test)
  _millrace_targets(deps ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE millrace_flags ${deps} ${arg_LIBS} GTest::gmock_main)
  # gtest's macros take long to optimise, and nobody measures a test.
  target_compile_options(${target} PRIVATE -O1)
  # PRE_TEST: listing the cases is ctest's work, so that a build never runs what
  # it has built and relinking stays cheap.
  gtest_discover_tests(${target} TEST_PREFIX ${arg_NAME}. DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()

# millrace_executable(NAME <name> SOURCES <a.cc>... DEPS <folder>... LIBS <target>...)
# A program, at build/<preset>/<name>.
function(millrace_executable)
  _millrace_parse(arg "NAME" "SOURCES;DEPS;LIBS")
  _millrace_targets(deps ${arg_DEPS})
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE millrace_flags ${deps} ${arg_LIBS})
  set_target_properties(${arg_NAME} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()

# millrace_fuzzer(NAME <name> SOURCES <a_fuzz.cc>... DEPS <folder>... LIBS <target>...
#   CORPUS <folder>)      default: corpus/<name> beside the CMakeLists.txt
#
# The sources define LLVMFuzzerTestOneInput. In the preset fuzz this is a
# libFuzzer program at build/fuzz/fuzzers/<name>. Everywhere else it is a program
# that replays the corpus, and a ctest case fuzz.<name>.
function(millrace_fuzzer)
  _millrace_parse(arg "NAME;CORPUS" "SOURCES;DEPS;LIBS")
  if(NOT MILLRACE_TESTS)
    return()
  endif()
  if(NOT arg_CORPUS)
    set(arg_CORPUS corpus/${arg_NAME})
  endif()
  set(target millrace_${arg_NAME}_fuzz)
  _millrace_targets(deps ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE millrace_flags ${deps} ${arg_LIBS})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_NAME}
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzzers")
  add_dependencies(millrace_fuzzers ${target})
  cmake_path(ABSOLUTE_PATH arg_CORPUS BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    OUTPUT_VARIABLE corpus)
  if(MILLRACE_SANITIZE STREQUAL "fuzzer")
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    # tools/fuzz.sh reads the corpus of each fuzzer from here.
    file(WRITE "${PROJECT_BINARY_DIR}/fuzzers/${arg_NAME}.corpus" "${corpus}\n")
  else()
    target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/fuzz_replay_main.cc")
    add_test(NAME fuzz.${arg_NAME} COMMAND ${target} "${corpus}")
    set_tests_properties(fuzz.${arg_NAME} PROPERTIES TIMEOUT 120)
  endif()
endfunction()

# millrace_benchmark(NAME <name> SOURCES <a_bench.cc>... DEPS <folder>... LIBS <target>...)
# A Google Benchmark program at build/<preset>/benchmarks/<name>. Part of the
# target all only where MILLRACE_BENCHMARKS is on; always of millrace_benchmarks.
function(millrace_benchmark)
  _millrace_parse(arg "NAME" "SOURCES;DEPS;LIBS")
  if(NOT TARGET benchmark::benchmark_main)
    return()
  endif()
  set(target millrace_${arg_NAME}_bench)
  _millrace_targets(deps ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE
    millrace_flags ${deps} ${arg_LIBS} benchmark::benchmark_main benchmark::benchmark)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_NAME}
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/benchmarks")
  if(NOT MILLRACE_BENCHMARKS)
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  add_dependencies(millrace_benchmarks ${target})
endfunction()

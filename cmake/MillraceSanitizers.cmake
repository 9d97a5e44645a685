# MILLRACE_SANITIZE: address, thread, fuzzer or empty. Applied to the whole
# build, C sources and tests as well. Set by the presets asan, tsan and fuzz.

set(MILLRACE_SANITIZE "" CACHE STRING "address, thread, fuzzer or empty")
set_property(CACHE MILLRACE_SANITIZE PROPERTY STRINGS "" address thread fuzzer)
option(MILLRACE_COVERAGE "Clang source-based coverage" OFF)

set(undefined -fsanitize=undefined -fno-sanitize-recover=all)
if(MILLRACE_SANITIZE STREQUAL "address")
  set(millrace_sanitize_flags -fsanitize=address ${undefined})
elseif(MILLRACE_SANITIZE STREQUAL "thread")
  set(millrace_sanitize_flags -fsanitize=thread)
elseif(MILLRACE_SANITIZE STREQUAL "fuzzer")
  # fuzzer-no-link: coverage hooks in every object, libFuzzer's main only in the
  # fuzzers (millrace_fuzzer).
  set(millrace_sanitize_flags -fsanitize=fuzzer-no-link,address ${undefined})
elseif(MILLRACE_SANITIZE)
  message(FATAL_ERROR "MILLRACE_SANITIZE: unknown value '${MILLRACE_SANITIZE}'")
endif()

if(MILLRACE_SANITIZE OR MILLRACE_COVERAGE)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "Sanitizer and coverage builds need clang: use their presets")
  endif()
endif()
add_compile_options(${millrace_sanitize_flags})
add_link_options(${millrace_sanitize_flags})

if(MILLRACE_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

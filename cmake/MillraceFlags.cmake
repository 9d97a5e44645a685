# The flags of our own code, as the interface target millrace_flags. Third-party
# headers are imported targets, hence system includes, and not subject to them.

add_library(millrace_flags INTERFACE)
target_include_directories(millrace_flags INTERFACE
  "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
target_compile_features(millrace_flags INTERFACE cxx_std_23)

# Instruction set. x86-64-v3 (AVX2, BMI2; Intel since 2013, AMD since 2015) is
# the default of every preset, so that the tests run the code that is released.
# Older machines: -DMILLRACE_MARCH=x86-64-v2. Empty: the compiler's own default.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(millrace_march_default x86-64-v3)
else()
  set(millrace_march_default "")
endif()
set(MILLRACE_MARCH "${millrace_march_default}" CACHE STRING "Value of -march, may be empty")
if(MILLRACE_MARCH)
  target_compile_options(millrace_flags INTERFACE -march=${MILLRACE_MARCH})
endif()

target_compile_options(millrace_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  -Wno-psabi
  # Members left out of a designated initialiser take their defaults on purpose.
  -Wno-missing-field-initializers
  # Position independent, as an executable: with -fPIC, what CMake would give to
  # a static library, gcc may not inline functions of other than internal linkage.
  -fPIE
  # Fused multiply-add would make sums of doubles depend on MILLRACE_MARCH.
  -ffp-contract=off
  # For stacks in profiles and in reports of crashes.
  -fno-omit-frame-pointer)

target_link_options(millrace_flags INTERFACE -pie)

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # The lock annotations of base/mutex.h. Errors through -Werror.
  target_compile_options(millrace_flags INTERFACE -Wthread-safety -Wthread-safety-beta
    # std::stable_sort of libstdc++ 12 calls what it has itself deprecated; gcc
    # knows to keep quiet.
    -Wno-deprecated-declarations)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Warnings of gcc 12's optimiser that raise false alarms inside std::string and
  # std::vector at -O3, differently with every inlining decision (GCC bugs
  # 105651, 100366, 105329). Clang and the sanitizer presets look for the real ones.
  target_compile_options(millrace_flags INTERFACE
    -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()

# Hardening of the released binary, after the OpenSSF compiler guide. What is in
# this list was taken as free; anything that shows in a benchmark leaves it.
# _GLIBCXX_ASSERTIONS checks each operator[] of the standard containers, so
# it is in the debug presets only.
option(MILLRACE_HARDENING "Hardening flags (needs optimisation, no sanitizer)" OFF)
set(millrace_hardening_compile
  -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
  -fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND millrace_hardening_compile -fcf-protection=full)
endif()
set(millrace_hardening_link -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(MILLRACE_HARDENING)
  target_compile_options(millrace_flags INTERFACE ${millrace_hardening_compile})
  target_link_options(millrace_flags INTERFACE ${millrace_hardening_link})
endif()

target_compile_definitions(millrace_flags INTERFACE
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

# The version, for the one or two sources that print it: LIBS millrace_version.
add_library(millrace_version INTERFACE)
target_compile_definitions(millrace_version INTERFACE
  MILLRACE_VERSION="${PROJECT_VERSION}")

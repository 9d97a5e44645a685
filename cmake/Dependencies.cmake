# Every external library, as one imported target each. The Debian packages are
# in tools/packages.txt, which folder may use what in tools/layers.toml.
#
#   name for LIBS             header
#   Threads::Threads
#   fmt::fmt                  fmt/...
#   spdlog::spdlog            spdlog/...           (compiled library, external fmt)
#   yaml-cpp                  yaml-cpp/yaml.h
#   CLI11::CLI11              CLI/...
#   lz4::lz4                  lz4.h
#   zstd::libzstd_shared      zstd.h
#   millrace_xxhash           xxhash.h             (inline, see below)
#   FastFloat::fast_float     fast_float/...
#   simdjson::simdjson        simdjson.h
#   pg_query::pg_query        pg_query.h           (static)
#   Boost::headers            boost/...            (Beast, Asio)
#   Boost::json               boost/json.hpp       (static)
#   re2::re2                  re2/re2.h
#   date::date-tz             date/date.h, date/tz.h
#   prometheus-cpp::core      prometheus/...
#   ZLIB::ZLIB                zlib.h
#   OpenSSL::Crypto           openssl/...
#   CURL::libcurl             curl/curl.h
#   GTest::gmock_main         gtest/..., gmock/...       (tests)
#   rapidcheck_gtest          rapidcheck/gtest.h         (tests)
#   benchmark::benchmark      benchmark/benchmark.h      (benchmarks)

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(zstd CONFIG REQUIRED)
find_package(FastFloat CONFIG REQUIRED)
find_package(simdjson CONFIG REQUIRED)
find_package(date CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)

set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers json)

# An imported target for a library that ships neither a CMake package nor needs
# one: a header and a library file.
function(millrace_import TARGET HEADER LIBRARY)
  string(MAKE_C_IDENTIFIER "${TARGET}" id)
  find_path(${id}_INCLUDE_DIR ${HEADER} REQUIRED)
  find_library(${id}_LIBRARY ${LIBRARY} REQUIRED)
  mark_as_advanced(${id}_INCLUDE_DIR ${id}_LIBRARY)
  add_library(${TARGET} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${TARGET} PROPERTIES
    IMPORTED_LOCATION "${${id}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${${id}_INCLUDE_DIR}")
endfunction()
millrace_import(lz4::lz4 lz4.h lz4)
millrace_import(re2::re2 re2/re2.h re2)
target_link_libraries(re2::re2 INTERFACE Threads::Threads)

# libpg_query is static: its shared library's ABI follows PostgreSQL's major
# version, and a binary must not change its dialect with the machine.
millrace_import(pg_query::pg_query pg_query.h libpg_query.a)
target_link_libraries(pg_query::pg_query INTERFACE Threads::Threads)

# libpg_query.a exports its own XXH* functions, of another version. Ours are
# inlined, so that no XXH symbol of ours exists to be mixed up with them.
add_library(millrace_xxhash INTERFACE)
target_compile_definitions(millrace_xxhash INTERFACE XXH_INLINE_ALL)

# Tests and benchmarks.
if(MILLRACE_TESTS)
  find_package(GTest CONFIG REQUIRED)
  find_package(rapidcheck CONFIG REQUIRED)
  include(GoogleTest)
endif()
find_package(benchmark CONFIG QUIET)

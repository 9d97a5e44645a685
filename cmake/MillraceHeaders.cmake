# Headers compile alone. A header with a source of the same name is proved by
# that source, which includes it first (tools/check_style.py sees to that). The
# others get a source of one line each; the target millrace_headers compiles them.
# The glob serves this check only: no product is built from it.

function(millrace_header_checks)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/src/*.h" "${PROJECT_SOURCE_DIR}/include/*.h")
  set(sources)
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "\\.h$" ".cc" source "${header}")
    if(EXISTS "${source}")
      continue()
    endif()
    string(REGEX REPLACE "^.*/(src|include)/(millrace/.*)$" "\\2" include "${header}")
    string(REGEX REPLACE "\\.h$" ".cc" generated "${PROJECT_BINARY_DIR}/headers/${include}")
    file(CONFIGURE OUTPUT "${generated}" CONTENT "#include \"${include}\"\n")
    list(APPEND sources "${generated}")
  endforeach()
  get_property(libraries GLOBAL PROPERTY MILLRACE_LIBRARIES)
  if(NOT sources)
    add_custom_target(millrace_headers)
    return()
  endif()
  add_library(millrace_headers OBJECT EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(millrace_headers PRIVATE millrace_flags ${libraries})
  # Only whether they compile counts, and some define what nobody uses there.
  target_compile_options(millrace_headers PRIVATE -O0 -g0 -U_FORTIFY_SOURCE
    -Wno-unused-function -Wno-unused-variable)
  if(MILLRACE_TESTS)
    target_link_libraries(millrace_headers PRIVATE GTest::gmock)
  endif()
endfunction()

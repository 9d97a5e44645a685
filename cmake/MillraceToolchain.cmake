# ccache and mold, where the machine has them. Neither changes what is built.

find_program(MILLRACE_CCACHE ccache)
mark_as_advanced(MILLRACE_CCACHE)
if(MILLRACE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${MILLRACE_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MILLRACE_CCACHE}")
endif()

find_program(MILLRACE_MOLD mold)
mark_as_advanced(MILLRACE_MOLD)
if(MILLRACE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

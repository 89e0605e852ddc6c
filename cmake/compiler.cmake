# Enables C++, or stops with a message that tells what to install.

include(CheckLanguage)
check_language(CXX)
if(NOT CMAKE_CXX_COMPILER)
  message(FATAL_ERROR
      "tensorlite is compiled on installation and found no C++ compiler. "
      "Install GCC 11 or newer (Debian and Ubuntu: apt install g++, Fedora: dnf install gcc-c++) or Clang 14 or newer; "
      "the environment variable CXX chooses one that is not on the PATH.")
endif()
enable_language(CXX)

set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER})")
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
  message(FATAL_ERROR "tensorlite is compiled with GCC 11 or newer or Clang 14 or newer; found ${compiler}. "
                      "Set the environment variable CXX to such a compiler.")
elseif((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
       OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14))
  message(FATAL_ERROR "tensorlite is C++20 and needs GCC 11 or newer or Clang 14 or newer; found ${compiler}. "
                      "Install a newer one and set the environment variable CXX to it, for example CXX=g++-12.")
endif()
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  message(FATAL_ERROR "tensorlite runs on Linux on x86-64 so far; "
                      "this is ${CMAKE_SYSTEM_NAME} on ${CMAKE_SYSTEM_PROCESSOR}.")
endif()

# TENSORLITE_CUDA: AUTO builds the CUDA backend where nvcc and a driver are, ON insists on it, OFF leaves it out, EMULATE
# builds the same sources for the host processor (a test tool: slow). The result is libtensorlite_cuda.so, which
# libtensorlite.so opens when a CUDA device is first asked for.

if(NOT TENSORLITE_CUDA MATCHES "^(AUTO|ON|OFF|EMULATE)$")
  message(FATAL_ERROR "TENSORLITE_CUDA is AUTO, ON, OFF or EMULATE, not '${TENSORLITE_CUDA}'.")
endif()

set(TL_CUDA_MODE ${TENSORLITE_CUDA})
if(TL_CUDA_MODE MATCHES "^(AUTO|ON)$")
  # nvcc: CUDACXX, the PATH, the usual place, the wheels of PyPI beside the Python that builds.
  find_package(Python QUIET COMPONENTS Interpreter)
  if(Python_EXECUTABLE)
    execute_process(COMMAND ${Python_EXECUTABLE} -c "import sysconfig; print(sysconfig.get_path('purelib'))"
                    OUTPUT_VARIABLE TL_SITE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  file(GLOB TL_NVCC_WHEELS "${TL_SITE}/nvidia/cu*/bin" "${TL_SITE}/nvidia/cuda_nvcc/bin")
  find_program(TL_NVCC nvcc HINTS "$ENV{CUDACXX}" PATHS /usr/local/cuda/bin ${TL_NVCC_WHEELS})
  if(EXISTS "$ENV{CUDACXX}")
    set(TL_NVCC "$ENV{CUDACXX}")
  endif()
  if(TL_CUDA_MODE STREQUAL "AUTO")
    if(TL_NVCC AND EXISTS /dev/nvidiactl)
      set(TL_CUDA_MODE ON)
    else()
      set(TL_CUDA_MODE OFF)
    endif()
  elseif(NOT TL_NVCC)
    message(FATAL_ERROR "TENSORLITE_CUDA=ON needs nvcc, and none was found on the PATH, in CUDACXX or in "
                        "/usr/local/cuda. Install the CUDA toolkit, or the wheels nvidia-cuda-nvcc, nvidia-cuda-cccl "
                        "and nvidia-cuda-runtime; TENSORLITE_CUDA=EMULATE needs none.")
  endif()
endif()
message(STATUS "CUDA backend: ${TL_CUDA_MODE}")

if(TL_CUDA_MODE MATCHES "^(ON|EMULATE)$")
  file(GLOB TL_CUDA_KERNELS CONFIGURE_DEPENDS cuda/*.cu)
  file(GLOB TL_CUDA_RUNTIME CONFIGURE_DEPENDS cuda/runtime/*.cpp)
  if(TL_CUDA_MODE STREQUAL "ON")
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES "90-real" CACHE STRING "GPU architectures to compile for")
      if(EXISTS /dev/nvidiactl)
        set(CMAKE_CUDA_ARCHITECTURES native)
      endif()
    endif()
    set(CMAKE_CUDA_COMPILER "${TL_NVCC}")
    set(CMAKE_CUDA_HOST_COMPILER "${CMAKE_CXX_COMPILER}")
    enable_language(CUDA)
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
    set(TL_CUDA_SOURCES ${TL_CUDA_KERNELS} ${TL_CUDA_RUNTIME} cuda/runtime/driver.cu)
  else()
    file(GLOB TL_CUDA_EMULATOR CONFIGURE_DEPENDS cuda/emulator/*.cpp)
    set(TL_CUDA_SOURCES ${TL_CUDA_KERNELS} ${TL_CUDA_RUNTIME} ${TL_CUDA_EMULATOR})
    set_source_files_properties(${TL_CUDA_KERNELS} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
  endif()

  add_library(tensorlite_cuda SHARED ${TL_CUDA_SOURCES})
  target_include_directories(tensorlite_cuda PRIVATE cuda)
  target_link_libraries(tensorlite_cuda PRIVATE tensorlite Threads::Threads)
  if(TL_CUDA_MODE STREQUAL "ON" AND CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
    # Machine code at half the size; drivers since CUDA 12.4 read it.
    target_compile_options(tensorlite_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--compress-mode=size>)
  endif()
  set_target_properties(tensorlite_cuda PROPERTIES INSTALL_RPATH "$ORIGIN" BUILD_RPATH_USE_ORIGIN ON
                                                   NO_SYSTEM_FROM_IMPORTED ON)
  install(TARGETS tensorlite_cuda LIBRARY DESTINATION tensorlite)

  if(TL_CUDA_MODE STREQUAL "EMULATE")
    add_executable(emulator_test tests/cpp/emulator_test.cu ${TL_CUDA_EMULATOR} cuda/runtime/cublas.cpp)
    set_source_files_properties(tests/cpp/emulator_test.cu PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
    target_include_directories(emulator_test PRIVATE cuda)
    target_link_libraries(emulator_test PRIVATE tensorlite)
    set_target_properties(emulator_test PROPERTIES INSTALL_RPATH "$ORIGIN" BUILD_RPATH_USE_ORIGIN ON)
    install(TARGETS emulator_test RUNTIME DESTINATION tensorlite)
  endif()

  # The ladder of docs/kernels/: built on demand, and for its test.
  if(TL_CUDA_MODE STREQUAL "ON")
    add_executable(matmul_ladder EXCLUDE_FROM_ALL docs/kernels/matmul_ladder.cu cuda/runtime/driver.cu
                                                  cuda/runtime/cublas.cpp)
  else()
    add_executable(matmul_ladder EXCLUDE_FROM_ALL docs/kernels/matmul_ladder.cu ${TL_CUDA_EMULATOR}
                                                  cuda/runtime/cublas.cpp)
    set_source_files_properties(docs/kernels/matmul_ladder.cu PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
  endif()
  target_include_directories(matmul_ladder PRIVATE cuda)
  target_link_libraries(matmul_ladder PRIVATE tensorlite)
  set_target_properties(matmul_ladder PROPERTIES BUILD_RPATH_USE_ORIGIN ON)
endif()

# TENSORLITE_CUDA: AUTO builds the CUDA backend where it can be built, ON insists on it, OFF leaves it out, EMULATE
# builds it for the host processor. The sources are cuda/*.cu (cuda/README.md); as long as there are none, AUTO and OFF
# mean the same and the other two stop here rather than promise a backend that is not there.

if(NOT TENSORLITE_CUDA MATCHES "^(AUTO|ON|OFF|EMULATE)$")
  message(FATAL_ERROR "TENSORLITE_CUDA is AUTO, ON, OFF or EMULATE, not '${TENSORLITE_CUDA}'.")
endif()
file(GLOB TL_CUDA_SOURCES CONFIGURE_DEPENDS cuda/*.cu)
if(NOT TL_CUDA_SOURCES)
  if(TENSORLITE_CUDA MATCHES "^(ON|EMULATE)$")
    message(FATAL_ERROR "TENSORLITE_CUDA=${TENSORLITE_CUDA}: this version of tensorlite has no CUDA backend yet "
                        "(cuda/ holds no .cu sources). Build with TENSORLITE_CUDA=AUTO or OFF for the CPU.")
  endif()
  message(STATUS "CUDA backend: none in this version; building for the CPU")
endif()

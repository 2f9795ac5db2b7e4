# SPDX-License-Identifier: Apache-2.0 OR MIT
# CMake toolchain file for Nacre devices: cmake -DCMAKE_TOOLCHAIN_FILE=.../nacre-toolchain.cmake
# The SDK is taken from NACRE_SDK (environment or -D), else from out/sdk of the clone that holds this file.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7)

if(NOT NACRE_SDK)
  if(DEFINED ENV{NACRE_SDK})
    set(NACRE_SDK "$ENV{NACRE_SDK}")
  else()
    get_filename_component(NACRE_SDK "${CMAKE_CURRENT_LIST_DIR}/../../out/sdk" ABSOLUTE)
  endif()
endif()
# CMake reads this file again in its own small test projects, which must find the same SDK.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NACRE_SDK)

set(CMAKE_C_COMPILER "${NACRE_SDK}/bin/armv7-nacre-linux-musleabihf-clang")
if(NOT EXISTS "${CMAKE_C_COMPILER}")
  message(FATAL_ERROR "There is no SDK at ${NACRE_SDK}. Build it with `make sdk` at the top of the clone, or set NACRE_SDK.")
endif()

set(CMAKE_SYSROOT "${NACRE_SDK}/sysroot")
# Programs run on this machine; headers and libraries are the device's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Small before fast, and only what is used: the apps of a device share little memory.
set(CMAKE_C_FLAGS_INIT "-ffunction-sections -fdata-sections")
set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "Kind of build")

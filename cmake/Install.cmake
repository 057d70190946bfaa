# Install rules: headers, generated headers, and the CMake package TorchLite.

include(CMakePackageConfigHelpers)

install(DIRECTORY include/TorchLite DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
install(DIRECTORY ${PROJECT_BINARY_DIR}/include/TorchLite DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.inc" PATTERN "CMakeFiles" EXCLUDE)

set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/TorchLite)
install(EXPORT TorchLiteTargets NAMESPACE TorchLite:: DESTINATION ${_package_dir})
configure_package_config_file(cmake/TorchLiteConfig.cmake.in
  ${PROJECT_BINARY_DIR}/TorchLiteConfig.cmake INSTALL_DESTINATION ${_package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TorchLiteConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TorchLiteConfig.cmake
              ${PROJECT_BINARY_DIR}/TorchLiteConfigVersion.cmake DESTINATION ${_package_dir})

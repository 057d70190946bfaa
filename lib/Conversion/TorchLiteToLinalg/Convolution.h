//===- Convolution.h - The pattern of tl.conv -------------------*- C++ -*-===//
#ifndef TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_CONVOLUTION_H
#define TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_CONVOLUTION_H

#include "mlir/Transforms/DialectConversion.h"

namespace torchlite::tl {
void populateConvolutionPatterns(const mlir::TypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);
} // namespace torchlite::tl

#endif // TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_CONVOLUTION_H

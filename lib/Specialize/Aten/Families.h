//===- Families.h - The files of the aten table -----------------*- C++ -*-===//
//
// Each function registers the rules of the file of its name. `registerAtenRules` calls all of them.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_FAMILIES_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_FAMILIES_H

namespace torchlite::tl::specialize {

class RuleRegistry;

void registerActivationRules(RuleRegistry &registry);
void registerArithmeticRules(RuleRegistry &registry);
void registerAttentionRules(RuleRegistry &registry);
void registerBackwardRules(RuleRegistry &registry);
void registerBagRules(RuleRegistry &registry);
void registerBesselRules(RuleRegistry &registry);
void registerClassLossRules(RuleRegistry &registry);
void registerComparisonRules(RuleRegistry &registry);
void registerComplexRules(RuleRegistry &registry);
void registerComplexViewRules(RuleRegistry &registry);
void registerConversionRules(RuleRegistry &registry);
void registerConvolutionRules(RuleRegistry &registry);
void registerCreationRules(RuleRegistry &registry);
void registerDifferenceRules(RuleRegistry &registry);
void registerDivisorRules(RuleRegistry &registry);
void registerDropoutRules(RuleRegistry &registry);
void registerElementwiseRules(RuleRegistry &registry);
void registerFourierRules(RuleRegistry &registry);
void registerGammaRules(RuleRegistry &registry);
void registerIndexingRules(RuleRegistry &registry);
void registerLinearRules(RuleRegistry &registry);
void registerLossRules(RuleRegistry &registry);
void registerMatrixFactorRules(RuleRegistry &registry);
void registerMatrixNormRules(RuleRegistry &registry);
void registerMatrixVectorRules(RuleRegistry &registry);
void registerMovementRules(RuleRegistry &registry);
void registerNormalizationRules(RuleRegistry &registry);
void registerOrderRules(RuleRegistry &registry);
void registerPackedRules(RuleRegistry &registry);
void registerPolynomialRules(RuleRegistry &registry);
void registerPoolingRules(RuleRegistry &registry);
void registerProductRules(RuleRegistry &registry);
void registerRandomIntegerRules(RuleRegistry &registry);
void registerRandomRules(RuleRegistry &registry);
void registerRecurrentRules(RuleRegistry &registry);
void registerReductionRules(RuleRegistry &registry);
void registerResamplingRules(RuleRegistry &registry);
void registerSamplingRules(RuleRegistry &registry);
void registerScanRules(RuleRegistry &registry);
void registerSignalWindowRules(RuleRegistry &registry);
void registerSliceRules(RuleRegistry &registry);
void registerSortingRules(RuleRegistry &registry);
void registerSpecialRules(RuleRegistry &registry);
void registerStridedRules(RuleRegistry &registry);
void registerViewRules(RuleRegistry &registry);
void registerWindowRules(RuleRegistry &registry);

/// Every family above.
void registerAtenRules(RuleRegistry &registry);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_FAMILIES_H

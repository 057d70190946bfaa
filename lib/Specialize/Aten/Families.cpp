//===- Families.cpp - All rules of the aten table -------------------------===//

#include "Families.h"

using namespace torchlite::tl;

void specialize::registerAtenRules(RuleRegistry &registry) {
  registerActivationRules(registry);
  registerArithmeticRules(registry);
  registerAttentionRules(registry);
  registerBackwardRules(registry);
  registerBagRules(registry);
  registerBesselRules(registry);
  registerClassLossRules(registry);
  registerComparisonRules(registry);
  registerConversionRules(registry);
  registerConvolutionRules(registry);
  registerCreationRules(registry);
  registerDifferenceRules(registry);
  registerDivisorRules(registry);
  registerDropoutRules(registry);
  registerElementwiseRules(registry);
  registerFourierRules(registry);
  registerGammaRules(registry);
  registerIndexingRules(registry);
  registerLinearRules(registry);
  registerLossRules(registry);
  registerMatrixFactorRules(registry);
  registerMatrixNormRules(registry);
  registerMatrixVectorRules(registry);
  registerMovementRules(registry);
  registerNormalizationRules(registry);
  registerOrderRules(registry);
  registerPackedRules(registry);
  registerPolynomialRules(registry);
  registerPoolingRules(registry);
  registerProductRules(registry);
  registerRandomIntegerRules(registry);
  registerRandomRules(registry);
  registerRecurrentRules(registry);
  registerReductionRules(registry);
  registerResamplingRules(registry);
  registerSamplingRules(registry);
  registerScanRules(registry);
  registerSignalWindowRules(registry);
  registerSliceRules(registry);
  registerSortingRules(registry);
  registerSpecialRules(registry);
  registerStridedRules(registry);
  registerViewRules(registry);
  registerWindowRules(registry);
  // Last: they take the rules of real numbers by parts.
  registerComplexRules(registry);
  registerComplexViewRules(registry);
}

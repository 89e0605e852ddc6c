#include "pointwise_loops.h"

#include "core/special_ops.h"

// Special functions, computed in float64.

namespace tl::cuda {

void fill_special() {
  TL_COSTLY_U(I0, TL_FLOATS)
  TL_COSTLY_U(I0e, TL_FLOATS)
  TL_COSTLY_U(I1, TL_FLOATS)
  TL_COSTLY_U(I1e, TL_FLOATS)
  TL_COSTLY_U(BesselJ0, TL_FLOATS)
  TL_COSTLY_U(BesselJ1, TL_FLOATS)
  TL_COSTLY_U(BesselY0, TL_FLOATS)
  TL_COSTLY_U(BesselY1, TL_FLOATS)
  TL_COSTLY_U(BesselK0, TL_FLOATS)
  TL_COSTLY_U(BesselK1, TL_FLOATS)
  TL_COSTLY_U(ScaledBesselK0, TL_FLOATS)
  TL_COSTLY_U(ScaledBesselK1, TL_FLOATS)
  TL_COSTLY_U(SphericalBesselJ0, TL_FLOATS)
  TL_COSTLY_U(AiryAi, TL_FLOATS)
  TL_COSTLY_U(Erfcx, TL_FLOATS)
  TL_COSTLY_U(Ndtr, TL_FLOATS)
  TL_COSTLY_U(LogNdtr, TL_FLOATS)
  TL_COSTLY_U(Ndtri, TL_FLOATS)
  TL_COSTLY_U(Entr, TL_FLOATS)
  TL_COSTLY_U(Sinc, TL_FLOATS, C64, C128)
  TL_COSTLY_U(Polygamma, TL_FLOATS)
  TL_COSTLY_U(Mantissa, TL_FLOATS)
  TL_COSTLY_U(Exponent, TL_FLOATS)
  TL_COSTLY_B(Igamma, TL_FLOATS)
  TL_COSTLY_B(Igammac, TL_FLOATS)
  TL_COSTLY_B(Zeta, TL_FLOATS)
  TL_COSTLY_B(Xlog1py, TL_FLOATS)
  TL_COSTLY_B(ChebyshevT, TL_FLOATS)
  TL_COSTLY_B(ChebyshevU, TL_FLOATS)
  TL_COSTLY_B(ChebyshevV, TL_FLOATS)
  TL_COSTLY_B(ChebyshevW, TL_FLOATS)
  TL_COSTLY_B(ShiftedChebyshevT, TL_FLOATS)
  TL_COSTLY_B(ShiftedChebyshevU, TL_FLOATS)
  TL_COSTLY_B(ShiftedChebyshevV, TL_FLOATS)
  TL_COSTLY_B(ShiftedChebyshevW, TL_FLOATS)
  TL_COSTLY_B(HermiteH, TL_FLOATS)
  TL_COSTLY_B(HermiteHe, TL_FLOATS)
  TL_COSTLY_B(LaguerreL, TL_FLOATS)
  TL_COSTLY_B(LegendreP, TL_FLOATS)
}

}  // namespace tl::cuda

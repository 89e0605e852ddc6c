#include "core/special_ops.h"

#include "cpu/pointwise_loops.h"

// The loops of the special functions. Compiled once: nothing here vectorises.

namespace tl::cpu {

// clang-format off
void fill_special() {
#define TL_U(name, ...) put_unary<scalar::name, __VA_ARGS__>(Pointwise::name, 64);
#define TL_B(name, ...) put_binary<scalar::name, __VA_ARGS__>(Pointwise::name, 64);
  TL_U(I0, float, double)
  TL_U(I0e, float, double)
  TL_U(I1, float, double)
  TL_U(I1e, float, double)
  TL_U(BesselJ0, float, double)
  TL_U(BesselJ1, float, double)
  TL_U(BesselY0, float, double)
  TL_U(BesselY1, float, double)
  TL_U(BesselK0, float, double)
  TL_U(BesselK1, float, double)
  TL_U(ScaledBesselK0, float, double)
  TL_U(ScaledBesselK1, float, double)
  TL_U(SphericalBesselJ0, float, double)
  TL_U(AiryAi, float, double)
  TL_U(Erfcx, float, double)
  TL_U(Ndtr, float, double)
  TL_U(LogNdtr, float, double)
  TL_U(Ndtri, float, double)
  TL_U(Entr, float, double)
  TL_U(Sinc, float, double, std::complex<float>, std::complex<double>)
  TL_U(Polygamma, float, double)
  TL_U(Mantissa, float, double)
  TL_U(Exponent, float, double)
  TL_B(Igamma, float, double)
  TL_B(Igammac, float, double)
  TL_B(Zeta, float, double)
  TL_B(Xlog1py, float, double)
  TL_B(ChebyshevT, float, double)
  TL_B(ChebyshevU, float, double)
  TL_B(ChebyshevV, float, double)
  TL_B(ChebyshevW, float, double)
  TL_B(ShiftedChebyshevT, float, double)
  TL_B(ShiftedChebyshevU, float, double)
  TL_B(ShiftedChebyshevV, float, double)
  TL_B(ShiftedChebyshevW, float, double)
  TL_B(HermiteH, float, double)
  TL_B(HermiteHe, float, double)
  TL_B(LaguerreL, float, double)
  TL_B(LegendreP, float, double)
#undef TL_U
#undef TL_B
}
// clang-format on

}  // namespace tl::cpu

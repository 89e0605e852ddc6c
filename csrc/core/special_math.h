#pragma once

#include "core/float_math.h"

// Special functions for kernels, in float64 (float32 callers round the result). Unless a function says otherwise it is
// a Chebyshev series of the function with its growth divided out, in a variable that maps the half-line to [-1, 1]; the
// coefficients were computed with mpmath to 40 digits. Formulas named by section are those of the NIST Digital Library
// of Mathematical Functions (https://dlmf.nist.gov).

namespace tl::special_math {

#define TL_SPECIAL_FN static TL_HOST_DEVICE inline

inline constexpr double kPi = 3.14159265358979323846, kInf = __builtin_inf(), kNan = __builtin_nan("");
inline constexpr double kEps = 2.220446049250313e-16;

// A table that host and device can read: it belongs to a function, of which each has its own.
#define TL_TABLE(name, ...)                        \
  struct name {                                    \
    static TL_HOST_DEVICE inline auto& values() {  \
      static constexpr double c[] = {__VA_ARGS__}; \
      return c;                                    \
    }                                              \
  };

TL_TABLE(kI0Near, 0.338397637204738042, -0.304682672343198399, 0.171620901522208775, -0.0949010970480476444,
         0.0493052842396707085, -0.0237374148058994688, 0.0105464603945949983, -0.00432430999505057594,
         0.0016394756169413358, -0.000576375574538582366, 0.000188502885095841656, -0.000057541950100821037,
         0.0000164484480707288971, -4.41673835845875056e-6, 1.11738753912010372e-6, -2.67079385394061173e-7,
         6.04699502254191895e-8, -1.30002500998624804e-8, 2.65982372468238665e-9, -5.18979560163526291e-10,
         9.67580903537323691e-11, -1.72682629144155571e-11, 2.95505266312963983e-12, -4.85644678311192946e-13,
         7.67618549860493562e-14, -1.16853328779934517e-14, 1.71539128555513303e-15, -2.43127984654795469e-16,
         3.3307945188222381e-17, -4.41534164647933938e-18)
TL_TABLE(kI0Far, 0.402245205507054416, 0.00336911647825569409, 0.0000688975834691682398, 2.89137052083475648e-6,
         2.04891858946906374e-7, 2.26666899049817806e-8, 3.39623202570838635e-9, 4.94060238822496959e-10,
         1.18891471078464383e-11, -3.14991652796324136e-11, -1.32158118404477131e-11, -1.79417853150680612e-12,
         7.18012445138366623e-13, 3.8527783827421427e-13, 1.54008621752140983e-14, -4.15056934728722209e-14,
         -9.55484669882830765e-15, 3.81168066935262242e-15, 1.77256013305652638e-15, -3.42548561967721913e-16,
         -2.82762398051658348e-16, 3.46122286769746109e-17, 4.46562142029676e-17, -4.83050448594418207e-18,
         -7.23318048787475395e-18)
TL_TABLE(kI1Near, 0.126293593221816827, -0.176416518357834055, 0.102643658689847095, -0.0529459812080949914,
         0.0247264490306265168, -0.0105640848946261982, 0.00415642294431288816, -0.00151357245063125315,
         0.000512285956168575773, -0.000161760815825896746, 0.0000478156510755005423, -0.0000132731636560394358,
         3.47025130813767848e-6, -8.56872026469545474e-7, 2.00329475355213526e-7, -4.44505912879632808e-8,
         9.38153738649577178e-9, -1.88724975172282929e-9, 3.62559028155211704e-10, -6.66348972350202774e-11,
         1.17361862988909016e-11, -1.98397439776494372e-12, 3.22379336594557471e-13, -5.04218550472791169e-14,
         7.60068429473540693e-15, -1.10559694773538631e-15, 1.55363195773620047e-16, -2.11142121435816608e-17,
         2.77791411276104637e-18)
TL_TABLE(kI1Far, 0.38928811750914006, -0.00976109749136146841, -0.000110588938762623716, -3.88256480887769039e-6,
         -2.51223623787020893e-7, -2.63146884688951951e-8, -3.83538038596423702e-9, -5.58974346219658381e-10,
         -1.89749581235054123e-11, 3.25260358301548824e-11, 1.41258074366137813e-11, 2.03562854414708951e-12,
         -7.19855177624590851e-13, -4.08355111109219732e-13, -2.10154184277266431e-14, 4.27244001671195135e-14,
         1.04202769841288028e-14, -3.8144030724370078e-15, -1.88035477551078245e-15, 3.30820231092092828e-16,
         2.96262899764595014e-16, -3.20952592199342396e-17, -4.65030536848935833e-17, 4.41434832307170795e-18,
         7.51729631084210481e-18)
TL_TABLE(kK0Near, -0.267663696616951384, 0.344289899924628487, 0.0359799365153615016, 0.00126461541144692592,
         0.0000228621210311945179, 2.53479107902614946e-7, 1.90451637722020886e-9, 1.03496952576336246e-11,
         4.25981614279108258e-14, 1.3744654358807509e-16)
TL_TABLE(kK0Far, 1.22015154103297773, -0.0314481013119645005, 0.00156988388573005337, -0.000128495495816278026,
         0.0000139498137188764994, -1.83175552271911948e-6, 2.76681363944501508e-7, -4.66048989768794767e-8,
         8.57403401741422609e-9, -1.69753450938906152e-9, 3.57739728140032845e-10, -7.95748924447739704e-11,
         1.85594911495492655e-11, -4.51459788337451918e-12, 1.14034058820734423e-12, -2.98009692314817835e-13,
         8.03289077506837437e-14, -2.22751332674629636e-14, 6.34007647627664597e-15, -1.84859337792090717e-15,
         5.51205599940433336e-16, -1.67823112575490064e-16, 5.21039177764355411e-17, -1.64758059398426328e-17)
TL_TABLE(kK1Near, 0.762650113669473885, -0.353155960776544876, -0.122611180822657148, -0.00697572385963986435,
         -0.000173028895751305206, -2.43340614156596823e-6, -2.21338763073472586e-8, -1.41148839263352776e-10,
         -6.66690169419932901e-13, -2.42744985051936593e-15)
TL_TABLE(kK1Far, 1.36031309524222133, 0.103923736576817238, -0.00285781685962277939, 0.000195215518471351631,
         -0.0000193619797416608296, 2.40648494783721712e-6, -3.50196060308781254e-7, 5.74108412545004929e-8,
         -1.0345762465678097e-8, 2.01504975519703462e-9, -4.19035475934192558e-10, 9.21831518760531413e-11,
         -2.12996783842779102e-11, 5.13963967348234354e-12, -1.28917396094982294e-12, 3.34841966605224312e-13,
         -8.97670518201014607e-14, 2.47715442421959868e-14, -7.01983708921476885e-15, 2.03870316623986088e-15,
         -6.05704727064301782e-16, 1.83809357524304543e-16, -5.68946284919364837e-17, 1.79405104788635729e-17)
TL_TABLE(kErfcx, 1.17757893456740175, -0.00459005458064647733, -0.0842491333665179156, 0.0592099399981918905,
         -0.0266586684353057523, 0.00907499767070526509, -0.00241316354041760819, 0.000490775836525808632,
         -0.0000691697330250120637, 4.13902798607301017e-6, 7.74038306619849067e-7, -2.18864010492343957e-7,
         1.07649994656709104e-8, 4.5219598112182869e-9, -7.75440020883135111e-10, -6.31808834088668449e-11,
         2.8687950109306699e-11, 1.94558685457773472e-13, -9.65469674843343891e-13, 3.25254814814873984e-14,
         3.34781194828680539e-14, -1.8645628804193131e-15, -1.25079505306886471e-15, 7.41823525662404346e-17,
         5.06814890479611132e-17)
TL_TABLE(kAiryNear, 0.114413191656935515, 0.117718092795205235, -0.333776176028802998, 0.130720929793008775,
         0.0392797684579250619, -0.0442883599659668954, 0.00987400140571787971, 0.00246873438817294571,
         -0.00180576287050379675, 0.000284416534567579892, 0.0000660012151907059197, -0.0000356110216286004149,
         4.29870853552819558e-6, 9.72695349086298414e-7, -4.13461944193354006e-7, 3.99333079924072879e-8,
         9.05588137865166305e-9, -3.16061210650431172e-9, 2.50702203246072935e-10, 5.79970276379287332e-11,
         -1.71036772496583271e-11, 1.13316217214287408e-12, 2.70899230486745641e-13, -6.89481486615338872e-14,
         3.85785718488576083e-15, 9.63124964734308485e-16, -2.15025381944677601e-16, 1.02321853833376992e-17)
TL_TABLE(kAiryFar, 0.984405304917155196, -0.0147927848501041987, 0.000732717746542671434, -0.0000612595423417824993,
         6.83476697557269029e-6, -9.23722973540398155e-7, 1.4362253404380519e-7, -2.48931942232209598e-8,
         4.7097934400543278e-9, -9.58386370811273208e-10, 2.07458554836775917e-10, -4.73726733219227696e-11,
         1.13360998082242348e-11, -2.82770678231935085e-12, 7.32071209512559757e-13, -1.95997939110897221e-13,
         5.41011625706839221e-14, -1.53564668022238356e-14, 4.47234039330002478e-15, -1.33380946747566825e-15,
         4.06658204645623099e-16, -1.26558322564528899e-16, 4.0151263340158711e-17, -1.29699721359609367e-17)
TL_TABLE(kAiryF, 0.998569962631091242, -0.00139519957690537169, 0.0000326784150640024645, -1.9404091544431854e-6,
         1.88693307955583866e-7, -2.50813983959403536e-8, 4.14766523533031619e-9, -8.07083946535944582e-10,
         1.78279248056995634e-10, -4.3617052732019037e-11, 1.16118542736576492e-11, -3.31977808727985383e-12,
         1.00897710123672451e-12, -3.23414246380143139e-13, 1.08633978346356408e-13, -3.80393559863853517e-14,
         1.38255393686832096e-14, -5.19678543995160654e-15, 2.01396562263702083e-15, -8.02575410998412538e-16,
         3.28128074479582656e-16, -1.37359722681634786e-16, 5.87725387635008121e-17, -2.56636083224865888e-17,
         1.14207142210760352e-17)
TL_TABLE(kAiryG, 0.068075344742563724, -0.00130838545827725927, 0.0000555176303557202215, -4.54476586594654587e-6,
         5.46542871280018935e-7, -8.49063298528918198e-8, 1.58636088972570444e-8, -3.41073847728459244e-9,
         8.19529208427213303e-10, -2.15597040077895156e-10, 6.11753312335789561e-11, -1.85118548714323206e-11,
         5.92173419816908235e-12, -1.98859013800793616e-12, 6.97091370140505183e-13, -2.53903524573491913e-13,
         9.57203089338409433e-14, -3.72288771501750717e-14, 1.48966655952394176e-14, -6.11776093046276254e-15,
         2.5732888544750706e-15, -1.10659513561398966e-15, 4.85734685806115074e-16, -2.17322619712157634e-16,
         9.89825782207556008e-17, -4.58427418911585439e-17, 2.15674962596126211e-17, -1.02978891745258839e-17,
         4.98603329046552698e-18, -2.4462014586417751e-18, 1.21523282994868901e-18)

// The sum of c[k] T_k(t), by Clenshaw's recurrence.
template <class Table>
TL_SPECIAL_FN double chebyshev(double t) {
  auto& c = Table::values();
  constexpr int n = int(sizeof(c) / sizeof(c[0]));
  double b0 = 0, b1 = 0;
  for (int k = n - 1; k > 0; --k) {
    double b2 = b1;
    b1 = b0;
    b0 = (t + t) * b1 - b2 + c[k];
  }
  return t * b0 - b1 + c[0];
}

// ---- modified Bessel functions ----

TL_SPECIAL_FN double i0e(double x) {
  double a = ::fabs(x);
  if (a <= 8) return chebyshev<kI0Near>(a / 4 - 1);
  return chebyshev<kI0Far>(16 / a - 1) / ::sqrt(a);
}
TL_SPECIAL_FN double i0(double x) { return i0e(x) * ::exp(::fabs(x)); }
TL_SPECIAL_FN double i1e(double x) {
  double a = ::fabs(x);
  if (a <= 8) return chebyshev<kI1Near>(a / 4 - 1) * x;
  double y = chebyshev<kI1Far>(16 / a - 1) / ::sqrt(a);
  return x < 0 ? -y : y;
}
TL_SPECIAL_FN double i1(double x) { return i1e(x) * ::exp(::fabs(x)); }

TL_SPECIAL_FN double scaled_k0(double x) {
  if (!(x > 0)) return x == 0 ? kInf : kNan;
  if (x <= 2) return (chebyshev<kK0Near>(x * x / 2 - 1) - ::log(x / 2) * i0(x)) * ::exp(x);
  return chebyshev<kK0Far>(4 / x - 1) / ::sqrt(x);
}
TL_SPECIAL_FN double k0(double x) {
  if (!(x > 0)) return x == 0 ? kInf : kNan;
  if (x <= 2) return chebyshev<kK0Near>(x * x / 2 - 1) - ::log(x / 2) * i0(x);
  return ::exp(-x) * chebyshev<kK0Far>(4 / x - 1) / ::sqrt(x);
}
TL_SPECIAL_FN double scaled_k1(double x) {
  if (!(x > 0)) return x == 0 ? kInf : kNan;
  if (x <= 2) return (::log(x / 2) * i1(x) + chebyshev<kK1Near>(x * x / 2 - 1) / x) * ::exp(x);
  return chebyshev<kK1Far>(4 / x - 1) / ::sqrt(x);
}
TL_SPECIAL_FN double k1(double x) {
  if (!(x > 0)) return x == 0 ? kInf : kNan;
  if (x <= 2) return ::log(x / 2) * i1(x) + chebyshev<kK1Near>(x * x / 2 - 1) / x;
  return ::exp(-x) * chebyshev<kK1Far>(4 / x - 1) / ::sqrt(x);
}

// ---- other functions of one argument ----

TL_SPECIAL_FN double spherical_j0(double x) {
  if (::fabs(x) == kInf) return 0;
  return ::fabs(x) < 1e-4 ? 1 - x * x / 6 : ::sin(x) / x;
}

TL_SPECIAL_FN double sinc(double x) {
  if (x == 0) return 1;
  double y = kPi * x;
  return ::sin(y) / y;
}

// Ai: a series of its own on [-3, 2]; beyond, e^-zeta or sines of zeta = 2/3 |x|^(3/2) times slow functions (9.7).
TL_SPECIAL_FN double airy_ai(double x) {
  if (x >= -3 && x <= 2) return chebyshev<kAiryNear>((2 * x + 1) / 5);
  if (::fabs(x) == kInf) return kNan;
  double a = ::fabs(x), root = ::sqrt(a), zeta = 2 * a * root / 3;
  constexpr double kSqrtPi = 1.77245385090551602730;
  if (x > 0) return ::exp(-zeta) * chebyshev<kAiryFar>(3.77123616632825342 / zeta - 1) / (2 * kSqrtPi * ::sqrt(root));
  double t = 24 / (zeta * zeta) - 1;
  double f = chebyshev<kAiryF>(t), g = chebyshev<kAiryG>(t) / zeta;
  return (::sin(zeta + kPi / 4) * f - ::cos(zeta + kPi / 4) * g) / (kSqrtPi * ::sqrt(root));
}

// e^(x^2) erfc(x), after Shepherd and Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x" (1981).
TL_SPECIAL_FN double erfcx(double x) {
  double a = x < 0 ? -x : x;
  if (x < -26.7) return kInf;
  double y = a > 1e8 ? 0.56418958354775628695 / a : chebyshev<kErfcx>((a - 3.75) / (a + 3.75)) / (1 + 2 * a);
  if (!(x < 0)) return y;
  double high = x * x, low = __builtin_fma(x, x, -high), e = ::exp(high);
  return 2 * (e + e * low) - y;
}

TL_SPECIAL_FN double log_ndtr(double x) {
  constexpr double kSqrtHalf = 0.70710678118654752440;
  if (x < -1) return ::log(erfcx(-x * kSqrtHalf) / 2) - x * x / 2;
  return ::log1p(-::erfc(x * kSqrtHalf) / 2);
}

// The inverse of ndtr: a rational guess (Abramowitz and Stegun 26.2.23), then Newton's steps on log_ndtr.
TL_SPECIAL_FN double ndtri(double p) {
  if (!(p > 0 && p < 1)) return p == 0 ? -kInf : p == 1 ? kInf : kNan;
  if (p == 0.5) return 0;
  bool upper = p > 0.5;
  double q = upper ? 1 - p : p, target = ::log(q);
  double t = ::sqrt(-2 * target);
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  constexpr double kLogSqrt2Pi = 0.91893853320467274178;
  if (q > 0.25) {  // q - 1/2 is exact: no digits are lost near the middle
    for (int step = 0; step < 3; ++step) {
      double error = 0.5 * ::erf(x * 0.70710678118654752440) - (q - 0.5);
      x -= error * ::exp(x * x / 2 + kLogSqrt2Pi);
    }
  } else {
    for (int step = 0; step < 3; ++step) {
      double value = log_ndtr(x);
      x -= (value - target) * ::exp(value + x * x / 2 + kLogSqrt2Pi);
    }
  }
  return upper ? -x : x;
}

TL_SPECIAL_FN double entr(double x) { return x > 0 ? -x * ::log(x) : x == 0 ? 0.0 : x != x ? x : -kInf; }

TL_SPECIAL_FN double xlog1py(double x, double y) { return y != y ? y : x == 0 ? 0.0 : x * ::log1p(y); }

// ---- gamma functions ----

// Hurwitz' zeta function for q > 0 by Euler's and Maclaurin's formula (25.11.5) after ten terms or more.
TL_SPECIAL_FN double zeta_positive(double s, double q) {
  double sum = 0, term;
  for (int n = 0; n < 10 || q <= 9; ++n, q += 1) {
    term = ::pow(q, -s);
    sum += term;
    if (term < kEps / 4 * sum) return sum;
  }
  // B_2j / (2j)!
  static constexpr double kBernoulli[] = {8.333333333333333e-2,    -1.388888888888889e-3,   3.306878306878307e-5,
                                          -8.267195767195767e-7,   2.0876756987868099e-8,   -5.284190138687493e-10,
                                          1.3382536530684679e-11,  -3.3896802963225829e-13, 8.5860620562778446e-15,
                                          -2.1748686985580619e-16, 5.5090028283602296e-18,  -1.3954464685812523e-19};
  double tail = ::pow(q, -s);
  sum += tail * (q / (s - 1) + 0.5);
  double rising = s / q;
  for (int j = 0; j < 12; ++j) {
    double add = tail * rising * kBernoulli[j];
    sum += add;
    if (::fabs(add) < kEps / 4 * ::fabs(sum)) break;
    rising *= (s + 2 * j + 1) * (s + 2 * j + 2) / (q * q);
  }
  return sum;
}

// Below zero only whole s have a value: the terms left of zero are those of zeta at their mirror images.
TL_SPECIAL_FN double zeta(double s, double q) {
  if (s == 1) return kInf;
  if (!(s > 1)) return kNan;
  if (q > 0) return zeta_positive(s, q);
  if (q != q) return kNan;
  double whole = ::floor(q), f = q - whole;
  if (f == 0) return kInf;
  if (s != ::floor(s)) return kNan;
  double left = zeta_positive(s, 1 - f) - zeta_positive(s, 1 - f - whole);
  return zeta_positive(s, f) + (::fmod(s, 2.0) != 0 ? -left : left);
}

// log(1 + u) - u without cancellation near 0.
TL_SPECIAL_FN double log1p_less(double u) {
  if (::fabs(u) > 0.3) return ::log1p(u) - u;
  // log(1 + u) = 2 artanh(r), r = u / (2 + u)
  double r = u / (2 + u), r2 = r * r, sum = 0, power = r2;
  for (int k = 3; k < 40 && power > 1e-20; k += 2, power *= r2) sum += power / k;
  return r * (2 * sum - u);
}

// x^a e^-x / Gamma(a + 1)
TL_SPECIAL_FN double gamma_density(double a, double x) {
  if (a < 12) return ::exp(a * ::log(x) - x - ::lgamma(a + 1));
  // By Stirling's series, so that no large numbers cancel.
  double z = 1 / (a * a);
  double stirling = (8.333333333333333e-2 -
                     z * (2.777777777777778e-3 -
                          z * (7.936507936507937e-4 - z * (5.952380952380953e-4 - z * 8.417508417508417e-4)))) /
                    a;
  return ::exp(a * log1p_less((x - a) / a) - stirling) / ::sqrt(2 * kPi * a);
}

// The regularised incomplete gamma functions: P by its power series (8.11.4), Q by its continued fraction (8.9.2) with
// Lentz' algorithm; each where it converges fast, the other as its complement.
TL_SPECIAL_FN double igamma_series(double a, double x) {
  double sum = 1, term = 1;
  double limit = 2000 + 12 * ::sqrt(a);
  for (double n = 1; n < limit; n += 1) {
    term *= x / (a + n);
    sum += term;
    if (term < kEps / 4 * sum) break;
  }
  return sum * gamma_density(a, x);
}
TL_SPECIAL_FN double igammac_fraction(double a, double x) {
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  double limit = 2000 + 12 * ::sqrt(a);
  for (double n = 1; n < limit; n += 1) {
    double an = -n * (n - a);
    b += 2;
    d = an * d + b;
    if (::fabs(d) < 1e-300) d = 1e-300;
    c = b + an / c;
    if (::fabs(c) < 1e-300) c = 1e-300;
    d = 1 / d;
    double change = c * d;
    h *= change;
    if (::fabs(change - 1) < kEps) break;
  }
  return h * gamma_density(a, x) * a;
}
// For large a: Temme's uniform expansion (8.12.3 and 8.12.4) to its first term. Q for sign 1, P for sign -1.
TL_SPECIAL_FN double igamma_uniform(double a, double x, double sign) {
  double mu = (x - a) / a, eta = ::copysign(::sqrt(-2 * log1p_less(mu)), mu);
  double c0 = ::fabs(eta) < 1e-3 ? -1.0 / 3 + eta * (1.0 / 12 - eta * (2.0 / 135)) : 1 / mu - 1 / eta;
  double first = ::exp(-a * eta * eta / 2) / ::sqrt(2 * kPi * a) * c0;
  return 0.5 * ::erfc(sign * eta * ::sqrt(a / 2)) + sign * (first == first ? first : 0.0);
}
inline constexpr double kLargeGamma = 1e7;

TL_SPECIAL_FN double igamma(double a, double x) {
  if (x < 0 || a < 0 || a != a || x != x) return kNan;
  if (a == 0) return x > 0 ? 1.0 : kNan;
  if (x == 0) return 0;
  if (::fabs(a) == kInf) return ::fabs(x) == kInf ? kNan : 0.0;
  if (::fabs(x) == kInf) return 1;
  if (a > kLargeGamma) return igamma_uniform(a, x, -1);
  return x > 1 && x > a ? 1 - igammac_fraction(a, x) : igamma_series(a, x);
}
TL_SPECIAL_FN double igammac(double a, double x) {
  if (x < 0 || a < 0 || a != a || x != x) return kNan;
  if (a == 0) return x > 0 ? 0.0 : kNan;
  if (x == 0) return 1;
  if (::fabs(a) == kInf) return ::fabs(x) == kInf ? kNan : 1.0;
  if (::fabs(x) == kInf) return 0;
  if (a > kLargeGamma) return igamma_uniform(a, x, 1);
  if (x > 1 && x > a) return igammac_fraction(a, x);
  if (x > 1 || a > 0.5 || x > 0.5) return 1 - igamma_series(a, x);
  // Small a and x: 1 - x^a / Gamma(a + 1) and the rest of the series apart.
  double sum = 0, term = 1;
  for (int n = 1; n < 100; ++n) {
    term *= -x / n;
    double add = term / (a + n);
    sum += add;
    if (::fabs(add) < kEps / 4 * ::fabs(sum)) break;
  }
  double log_power = a * ::log(x) - ::lgamma(a + 1);
  return -::expm1(log_power) - a * ::exp(log_power) * sum;
}

// ---- orthogonal polynomials, by their recurrences (18.9), in the type of the caller ----

// p_0 = 1, p_1 = first, p_k+1 = step(p_k, p_k-1, k); 0 for negative degrees.
template <class T, class Step>
TL_SPECIAL_FN T recur(T first, int64_t n, Step step) {
  if (n < 0) return T(0);
  if (n == 0) return T(1);
  T before = T(1), p = first;
  for (int64_t k = 1; k < n && p == p; ++k) {
    T next = step(p, before, T(k));
    before = p;
    p = next;
  }
  return p;
}

// Between -1 and 1 high degrees go through the angle.
template <class T>
TL_SPECIAL_FN T chebyshev_recur(T x, T first, int64_t n) {
  return recur(first, n, [x](T p, T before, T) { return (x + x) * p - before; });
}
template <class T>
TL_SPECIAL_FN T chebyshev_t(T x, int64_t n) {
  if (n < 0) return T(0);
  if (fm::abs(x) == T(1)) return x > T(0) || n % 2 == 0 ? T(1) : T(-1);
  if (n > 6 && fm::abs(x) < T(1)) return T(::cos(double(n) * ::acos(double(x))));
  return chebyshev_recur(x, x, n);
}
template <class T>
TL_SPECIAL_FN T chebyshev_u(T x, int64_t n) {
  if (n < 0) return T(0);
  if (fm::abs(x) == T(1)) return x > T(0) || n % 2 == 0 ? T(n + 1) : T(-(n + 1));
  if (n > 8 && fm::abs(x) < T(1)) {
    double angle = ::acos(double(x)), s = ::sin(angle);
    return s != 0 ? T(::sin(double(n + 1) * angle) / s) : T(double(n + 1) * ::cos(double(n + 1) * angle) / double(x));
  }
  return chebyshev_recur(x, x + x, n);
}
template <class T>
TL_SPECIAL_FN T chebyshev_v(T x, int64_t n) {
  if (n < 0) return T(0);
  if (fm::abs(x) == T(1)) return x > T(0) ? T(1) : n % 2 == 0 ? T(n + n + 1) : T(-(n + n + 1));
  if (n > 8 && fm::abs(x) < T(1)) {
    double half = ::acos(double(x)) / 2, c = ::cos(half);
    if (c != 0) return T(::cos(double(n + n + 1) * half) / c);
    return n % 2 == 0 ? T(n + n + 1) : T(-(n + n + 1));
  }
  return chebyshev_recur(x, x + x - T(1), n);
}
template <class T>
TL_SPECIAL_FN T chebyshev_w(T x, int64_t n) {
  if (n < 0) return T(0);
  if (fm::abs(x) == T(1)) return x > T(0) ? T(n + n + 1) : n % 2 == 0 ? T(1) : T(-1);
  if (n > 8 && fm::abs(x) < T(1)) {
    double half = ::acos(double(x)) / 2, s = ::sin(half);
    return s != 0 ? T(::sin(double(n + n + 1) * half) / s) : x > T(0) ? T(n + n + 1) : n % 2 == 0 ? T(1) : T(-1);
  }
  return chebyshev_recur(x, x + x + T(1), n);
}
// Beyond these degrees the values leave the range of the type.
template <class T>
inline constexpr int64_t kHermiteLimit = sizeof(T) == 4 ? 128 : 512;
template <class T>
TL_SPECIAL_FN T hermite_h(T x, int64_t n) {
  if (n > kHermiteLimit<T>) return T(kNan);
  return recur(x + x, n, [x](T p, T before, T k) { return (x + x) * p - (k + k) * before; });
}
template <class T>
TL_SPECIAL_FN T hermite_he(T x, int64_t n) {
  if (n > kHermiteLimit<T>) return T(kNan);
  return recur(x, n, [x](T p, T before, T k) { return x * p - k * before; });
}
template <class T>
TL_SPECIAL_FN T laguerre_l(T x, int64_t n) {
  if (n < 0) return T(0);
  if (x == T(0)) return T(1);
  return recur(T(1) - x, n, [x](T p, T before, T k) { return ((k + k + T(1) - x) * p - k * before) / (k + T(1)); });
}
template <class T>
TL_SPECIAL_FN T legendre_p(T x, int64_t n) {
  if (n < 0) return T(0);
  if (fm::abs(x) == T(1)) return x > T(0) || n % 2 == 0 ? T(1) : T(-1);
  return recur(x, n, [x](T p, T before, T k) { return ((k + k + T(1)) * x * p - k * before) / (k + T(1)); });
}

#undef TL_SPECIAL_FN
#undef TL_TABLE

}  // namespace tl::special_math

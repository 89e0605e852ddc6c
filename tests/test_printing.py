"""Printed text. The texts of CASES and OPTIONS were recorded from PyTorch 2.13."""

import math
import random

import pytest
from library import IS_TENSORLITE, tl, torch

# an expression, and what it prints; names of `torch` stand for the library's
CASES = [
    ("tensor(3)", "tensor(3)"),
    ("tensor(-2.5)", "tensor(-2.5000)"),
    ("tensor(1.0)", "tensor(1.)"),
    ("tensor(0.1)", "tensor(0.1000)"),
    ("tensor(True)", "tensor(True)"),
    ("tensor(1e-7)", "tensor(1.0000e-07)"),
    ("tensor(123456789.0)", "tensor(1.2346e+08)"),
    ("tensor(1 + 2j)", "tensor(1.+2.j)"),
    ("tensor(nan)", "tensor(nan)"),
    ("tensor(-inf)", "tensor(-inf)"),
    ("tensor(7, dtype=torch.uint8)", "tensor(7, dtype=torch.uint8)"),
    ("tensor(0.5, dtype=torch.float64)", "tensor(0.5000, dtype=torch.float64)"),
    ("tensor([])", "tensor([])"),
    ("tensor([], dtype=torch.int64)", "tensor([], dtype=torch.int64)"),
    ("zeros(0, 3)", "tensor([], size=(0, 3))"),
    ("zeros(2, 0, 4, dtype=torch.float64)", "tensor([], size=(2, 0, 4), dtype=torch.float64)"),
    ("zeros(0, dtype=torch.bool)", "tensor([], dtype=torch.bool)"),
    ("zeros(3)", "tensor([0., 0., 0.])"),
    ("tensor([1, 2, 3])", "tensor([1, 2, 3])"),
    ("tensor([1, -20, 300])", "tensor([  1, -20, 300])"),
    ("tensor([1, 2], dtype=torch.int32)", "tensor([1, 2], dtype=torch.int32)"),
    ("tensor([1, 2], dtype=torch.int8)", "tensor([1, 2], dtype=torch.int8)"),
    ("tensor([0, 255], dtype=torch.uint8)", "tensor([  0, 255], dtype=torch.uint8)"),
    ("tensor([True, False])", "tensor([ True, False])"),
    ("tensor([1.0, 2.0, -3.0])", "tensor([ 1.,  2., -3.])"),
    ("tensor([1.5, 2.0, -3.0])", "tensor([ 1.5000,  2.0000, -3.0000])"),
    ("tensor([0.1, 22.75, 333.125])", "tensor([1.0000e-01, 2.2750e+01, 3.3312e+02])"),
    ("tensor([1e-5, 1.0])", "tensor([1.0000e-05, 1.0000e+00])"),
    ("tensor([0.00012, 0.00034])", "tensor([0.0001, 0.0003])"),
    ("tensor([0.00001, 0.00002])", "tensor([1.0000e-05, 2.0000e-05])"),
    ("tensor([1.0, 1000.0])", "tensor([   1., 1000.])"),
    ("tensor([1.0, 1001.0])", "tensor([1.0000e+00, 1.0010e+03])"),
    ("tensor([0.5, 501.0])", "tensor([5.0000e-01, 5.0100e+02])"),
    ("tensor([100000000.0])", "tensor([100000000.])"),
    ("tensor([100000001.0, 200000000.0])", "tensor([1.0000e+08, 2.0000e+08])"),
    ("tensor([1.5, 99999999.0])", "tensor([1.5000e+00, 1.0000e+08])"),
    ("tensor([nan, 1.0, inf])", "tensor([nan, 1., inf])"),
    ("tensor([nan, 1.5, -inf, 0.0])", "tensor([   nan, 1.5000,   -inf, 0.0000])"),
    ("tensor([nan, inf])", "tensor([nan, inf])"),
    ("tensor([-0.0, 0.0])", "tensor([-0., 0.])"),
    ("tensor([-0.0, 0.25])", "tensor([-0.0000, 0.2500])"),
    ("tensor([1e-45, 1.0])", "tensor([1.4013e-45, 1.0000e+00])"),
    (
        "tensor([1.7976931348623157e308, 1e-300], dtype=torch.float64)",
        "tensor([1.7977e+308, 1.0000e-300], dtype=torch.float64)",
    ),
    ("tensor([0.1, 0.2], dtype=torch.float16)", "tensor([0.1000, 0.2000], dtype=torch.float16)"),
    ("tensor([0.1, 300.0], dtype=torch.bfloat16)", "tensor([1.0010e-01, 3.0000e+02], dtype=torch.bfloat16)"),
    ("tensor([1 + 1j, 2 - 0.5j])", "tensor([1.+1.0000j, 2.-0.5000j])"),
    ("tensor([0j, 1e6 + 1e-6j])", "tensor([      0.+0.0000e+00j, 1000000.+1.0000e-06j])"),
    ("tensor([complex(nan, inf), 1j], dtype=torch.complex128)", "tensor([nan+infj, 0.+1.j], dtype=torch.complex128)"),
    (
        "tensor([[1, 2], [3, 4]])",
        """\
tensor([[1, 2],
        [3, 4]])""",
    ),
    (
        "tensor([[1.0], [2.5]])",
        """\
tensor([[1.0000],
        [2.5000]])""",
    ),
    (
        "tensor([[[1, 2], [3, 4]], [[5, 6], [7, 80]]])",
        """\
tensor([[[ 1,  2],
         [ 3,  4]],

        [[ 5,  6],
         [ 7, 80]]])""",
    ),
    (
        "ones(2, 1, 2, 2)",
        """\
tensor([[[[1., 1.],
          [1., 1.]]],


        [[[1., 1.],
          [1., 1.]]]])""",
    ),
    (
        "ones(1, 2, 1, 1, 2)",
        """\
tensor([[[[[1., 1.]]],


         [[[1., 1.]]]]])""",
    ),
    (
        "arange(24).reshape(2, 3, 4).transpose(0, 2)",
        """\
tensor([[[ 0, 12],
         [ 4, 16],
         [ 8, 20]],

        [[ 1, 13],
         [ 5, 17],
         [ 9, 21]],

        [[ 2, 14],
         [ 6, 18],
         [10, 22]],

        [[ 3, 15],
         [ 7, 19],
         [11, 23]]])""",
    ),
    (
        "arange(30)",
        """\
tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])""",
    ),
    (
        "arange(40.0)",
        """\
tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,
        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,
        28., 29., 30., 31., 32., 33., 34., 35., 36., 37., 38., 39.])""",
    ),
    (
        "arange(25).reshape(5, 5) > 11",
        """\
tensor([[False, False, False, False, False],
        [False, False, False, False, False],
        [False, False,  True,  True,  True],
        [ True,  True,  True,  True,  True],
        [ True,  True,  True,  True,  True]])""",
    ),
    (
        "linspace(0, 1, 20)",
        """\
tensor([0.0000, 0.0526, 0.1053, 0.1579, 0.2105, 0.2632, 0.3158, 0.3684, 0.4211,
        0.4737, 0.5263, 0.5789, 0.6316, 0.6842, 0.7368, 0.7895, 0.8421, 0.8947,
        0.9474, 1.0000])""",
    ),
    (
        "arange(1000)",
        """\
tensor([  0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,  13,
         14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  26,  27,
         28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,  41,
         42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  52,  53,  54,  55,
         56,  57,  58,  59,  60,  61,  62,  63,  64,  65,  66,  67,  68,  69,
         70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,  83,
         84,  85,  86,  87,  88,  89,  90,  91,  92,  93,  94,  95,  96,  97,
         98,  99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
        112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125,
        126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139,
        140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153,
        154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166, 167,
        168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181,
        182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195,
        196, 197, 198, 199, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209,
        210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 220, 221, 222, 223,
        224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237,
        238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251,
        252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 262, 263, 264, 265,
        266, 267, 268, 269, 270, 271, 272, 273, 274, 275, 276, 277, 278, 279,
        280, 281, 282, 283, 284, 285, 286, 287, 288, 289, 290, 291, 292, 293,
        294, 295, 296, 297, 298, 299, 300, 301, 302, 303, 304, 305, 306, 307,
        308, 309, 310, 311, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321,
        322, 323, 324, 325, 326, 327, 328, 329, 330, 331, 332, 333, 334, 335,
        336, 337, 338, 339, 340, 341, 342, 343, 344, 345, 346, 347, 348, 349,
        350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 360, 361, 362, 363,
        364, 365, 366, 367, 368, 369, 370, 371, 372, 373, 374, 375, 376, 377,
        378, 379, 380, 381, 382, 383, 384, 385, 386, 387, 388, 389, 390, 391,
        392, 393, 394, 395, 396, 397, 398, 399, 400, 401, 402, 403, 404, 405,
        406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 419,
        420, 421, 422, 423, 424, 425, 426, 427, 428, 429, 430, 431, 432, 433,
        434, 435, 436, 437, 438, 439, 440, 441, 442, 443, 444, 445, 446, 447,
        448, 449, 450, 451, 452, 453, 454, 455, 456, 457, 458, 459, 460, 461,
        462, 463, 464, 465, 466, 467, 468, 469, 470, 471, 472, 473, 474, 475,
        476, 477, 478, 479, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489,
        490, 491, 492, 493, 494, 495, 496, 497, 498, 499, 500, 501, 502, 503,
        504, 505, 506, 507, 508, 509, 510, 511, 512, 513, 514, 515, 516, 517,
        518, 519, 520, 521, 522, 523, 524, 525, 526, 527, 528, 529, 530, 531,
        532, 533, 534, 535, 536, 537, 538, 539, 540, 541, 542, 543, 544, 545,
        546, 547, 548, 549, 550, 551, 552, 553, 554, 555, 556, 557, 558, 559,
        560, 561, 562, 563, 564, 565, 566, 567, 568, 569, 570, 571, 572, 573,
        574, 575, 576, 577, 578, 579, 580, 581, 582, 583, 584, 585, 586, 587,
        588, 589, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599, 600, 601,
        602, 603, 604, 605, 606, 607, 608, 609, 610, 611, 612, 613, 614, 615,
        616, 617, 618, 619, 620, 621, 622, 623, 624, 625, 626, 627, 628, 629,
        630, 631, 632, 633, 634, 635, 636, 637, 638, 639, 640, 641, 642, 643,
        644, 645, 646, 647, 648, 649, 650, 651, 652, 653, 654, 655, 656, 657,
        658, 659, 660, 661, 662, 663, 664, 665, 666, 667, 668, 669, 670, 671,
        672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 684, 685,
        686, 687, 688, 689, 690, 691, 692, 693, 694, 695, 696, 697, 698, 699,
        700, 701, 702, 703, 704, 705, 706, 707, 708, 709, 710, 711, 712, 713,
        714, 715, 716, 717, 718, 719, 720, 721, 722, 723, 724, 725, 726, 727,
        728, 729, 730, 731, 732, 733, 734, 735, 736, 737, 738, 739, 740, 741,
        742, 743, 744, 745, 746, 747, 748, 749, 750, 751, 752, 753, 754, 755,
        756, 757, 758, 759, 760, 761, 762, 763, 764, 765, 766, 767, 768, 769,
        770, 771, 772, 773, 774, 775, 776, 777, 778, 779, 780, 781, 782, 783,
        784, 785, 786, 787, 788, 789, 790, 791, 792, 793, 794, 795, 796, 797,
        798, 799, 800, 801, 802, 803, 804, 805, 806, 807, 808, 809, 810, 811,
        812, 813, 814, 815, 816, 817, 818, 819, 820, 821, 822, 823, 824, 825,
        826, 827, 828, 829, 830, 831, 832, 833, 834, 835, 836, 837, 838, 839,
        840, 841, 842, 843, 844, 845, 846, 847, 848, 849, 850, 851, 852, 853,
        854, 855, 856, 857, 858, 859, 860, 861, 862, 863, 864, 865, 866, 867,
        868, 869, 870, 871, 872, 873, 874, 875, 876, 877, 878, 879, 880, 881,
        882, 883, 884, 885, 886, 887, 888, 889, 890, 891, 892, 893, 894, 895,
        896, 897, 898, 899, 900, 901, 902, 903, 904, 905, 906, 907, 908, 909,
        910, 911, 912, 913, 914, 915, 916, 917, 918, 919, 920, 921, 922, 923,
        924, 925, 926, 927, 928, 929, 930, 931, 932, 933, 934, 935, 936, 937,
        938, 939, 940, 941, 942, 943, 944, 945, 946, 947, 948, 949, 950, 951,
        952, 953, 954, 955, 956, 957, 958, 959, 960, 961, 962, 963, 964, 965,
        966, 967, 968, 969, 970, 971, 972, 973, 974, 975, 976, 977, 978, 979,
        980, 981, 982, 983, 984, 985, 986, 987, 988, 989, 990, 991, 992, 993,
        994, 995, 996, 997, 998, 999])""",
    ),
    ("arange(1001)", "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    ("arange(1001.0) / 8", "tensor([  0.0000,   0.1250,   0.2500,  ..., 124.7500, 124.8750, 125.0000])"),
    (
        "arange(2000).reshape(2, 1000)",
        """\
tensor([[   0,    1,    2,  ...,  997,  998,  999],
        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])""",
    ),
    (
        "arange(4000).reshape(1000, 4)",
        """\
tensor([[   0,    1,    2,    3],
        [   4,    5,    6,    7],
        [   8,    9,   10,   11],
        ...,
        [3988, 3989, 3990, 3991],
        [3992, 3993, 3994, 3995],
        [3996, 3997, 3998, 3999]])""",
    ),
    (
        "arange(12000.0).reshape(20, 30, 20)",
        """\
tensor([[[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.7000e+01,
          1.8000e+01, 1.9000e+01],
         [2.0000e+01, 2.1000e+01, 2.2000e+01,  ..., 3.7000e+01,
          3.8000e+01, 3.9000e+01],
         [4.0000e+01, 4.1000e+01, 4.2000e+01,  ..., 5.7000e+01,
          5.8000e+01, 5.9000e+01],
         ...,
         [5.4000e+02, 5.4100e+02, 5.4200e+02,  ..., 5.5700e+02,
          5.5800e+02, 5.5900e+02],
         [5.6000e+02, 5.6100e+02, 5.6200e+02,  ..., 5.7700e+02,
          5.7800e+02, 5.7900e+02],
         [5.8000e+02, 5.8100e+02, 5.8200e+02,  ..., 5.9700e+02,
          5.9800e+02, 5.9900e+02]],

        [[6.0000e+02, 6.0100e+02, 6.0200e+02,  ..., 6.1700e+02,
          6.1800e+02, 6.1900e+02],
         [6.2000e+02, 6.2100e+02, 6.2200e+02,  ..., 6.3700e+02,
          6.3800e+02, 6.3900e+02],
         [6.4000e+02, 6.4100e+02, 6.4200e+02,  ..., 6.5700e+02,
          6.5800e+02, 6.5900e+02],
         ...,
         [1.1400e+03, 1.1410e+03, 1.1420e+03,  ..., 1.1570e+03,
          1.1580e+03, 1.1590e+03],
         [1.1600e+03, 1.1610e+03, 1.1620e+03,  ..., 1.1770e+03,
          1.1780e+03, 1.1790e+03],
         [1.1800e+03, 1.1810e+03, 1.1820e+03,  ..., 1.1970e+03,
          1.1980e+03, 1.1990e+03]],

        [[1.2000e+03, 1.2010e+03, 1.2020e+03,  ..., 1.2170e+03,
          1.2180e+03, 1.2190e+03],
         [1.2200e+03, 1.2210e+03, 1.2220e+03,  ..., 1.2370e+03,
          1.2380e+03, 1.2390e+03],
         [1.2400e+03, 1.2410e+03, 1.2420e+03,  ..., 1.2570e+03,
          1.2580e+03, 1.2590e+03],
         ...,
         [1.7400e+03, 1.7410e+03, 1.7420e+03,  ..., 1.7570e+03,
          1.7580e+03, 1.7590e+03],
         [1.7600e+03, 1.7610e+03, 1.7620e+03,  ..., 1.7770e+03,
          1.7780e+03, 1.7790e+03],
         [1.7800e+03, 1.7810e+03, 1.7820e+03,  ..., 1.7970e+03,
          1.7980e+03, 1.7990e+03]],

        ...,

        [[1.0200e+04, 1.0201e+04, 1.0202e+04,  ..., 1.0217e+04,
          1.0218e+04, 1.0219e+04],
         [1.0220e+04, 1.0221e+04, 1.0222e+04,  ..., 1.0237e+04,
          1.0238e+04, 1.0239e+04],
         [1.0240e+04, 1.0241e+04, 1.0242e+04,  ..., 1.0257e+04,
          1.0258e+04, 1.0259e+04],
         ...,
         [1.0740e+04, 1.0741e+04, 1.0742e+04,  ..., 1.0757e+04,
          1.0758e+04, 1.0759e+04],
         [1.0760e+04, 1.0761e+04, 1.0762e+04,  ..., 1.0777e+04,
          1.0778e+04, 1.0779e+04],
         [1.0780e+04, 1.0781e+04, 1.0782e+04,  ..., 1.0797e+04,
          1.0798e+04, 1.0799e+04]],

        [[1.0800e+04, 1.0801e+04, 1.0802e+04,  ..., 1.0817e+04,
          1.0818e+04, 1.0819e+04],
         [1.0820e+04, 1.0821e+04, 1.0822e+04,  ..., 1.0837e+04,
          1.0838e+04, 1.0839e+04],
         [1.0840e+04, 1.0841e+04, 1.0842e+04,  ..., 1.0857e+04,
          1.0858e+04, 1.0859e+04],
         ...,
         [1.1340e+04, 1.1341e+04, 1.1342e+04,  ..., 1.1357e+04,
          1.1358e+04, 1.1359e+04],
         [1.1360e+04, 1.1361e+04, 1.1362e+04,  ..., 1.1377e+04,
          1.1378e+04, 1.1379e+04],
         [1.1380e+04, 1.1381e+04, 1.1382e+04,  ..., 1.1397e+04,
          1.1398e+04, 1.1399e+04]],

        [[1.1400e+04, 1.1401e+04, 1.1402e+04,  ..., 1.1417e+04,
          1.1418e+04, 1.1419e+04],
         [1.1420e+04, 1.1421e+04, 1.1422e+04,  ..., 1.1437e+04,
          1.1438e+04, 1.1439e+04],
         [1.1440e+04, 1.1441e+04, 1.1442e+04,  ..., 1.1457e+04,
          1.1458e+04, 1.1459e+04],
         ...,
         [1.1940e+04, 1.1941e+04, 1.1942e+04,  ..., 1.1957e+04,
          1.1958e+04, 1.1959e+04],
         [1.1960e+04, 1.1961e+04, 1.1962e+04,  ..., 1.1977e+04,
          1.1978e+04, 1.1979e+04],
         [1.1980e+04, 1.1981e+04, 1.1982e+04,  ..., 1.1997e+04,
          1.1998e+04, 1.1999e+04]]])""",
    ),
    (
        "eye(40)",
        """\
tensor([[1., 0., 0.,  ..., 0., 0., 0.],
        [0., 1., 0.,  ..., 0., 0., 0.],
        [0., 0., 1.,  ..., 0., 0., 0.],
        ...,
        [0., 0., 0.,  ..., 1., 0., 0.],
        [0., 0., 0.,  ..., 0., 1., 0.],
        [0., 0., 0.,  ..., 0., 0., 1.]])""",
    ),
    (
        "ones(4, 300, 2)",
        """\
tensor([[[1., 1.],
         [1., 1.],
         [1., 1.],
         ...,
         [1., 1.],
         [1., 1.],
         [1., 1.]],

        [[1., 1.],
         [1., 1.],
         [1., 1.],
         ...,
         [1., 1.],
         [1., 1.],
         [1., 1.]],

        [[1., 1.],
         [1., 1.],
         [1., 1.],
         ...,
         [1., 1.],
         [1., 1.],
         [1., 1.]],

        [[1., 1.],
         [1., 1.],
         [1., 1.],
         ...,
         [1., 1.],
         [1., 1.],
         [1., 1.]]])""",
    ),
    (
        "tensor([[0.001, 1000.0], [nan, -inf]])",
        """\
tensor([[1.0000e-03, 1.0000e+03],
        [       nan,       -inf]])""",
    ),
    (
        "ones(2, 3, requires_grad=True)",
        """\
tensor([[1., 1., 1.],
        [1., 1., 1.]], requires_grad=True)""",
    ),
    ("ones(2, requires_grad=True) + 1", "tensor([2., 2.], grad_fn=<AddBackward0>)"),
    ("ones(2, 3, requires_grad=True).sum()", "tensor(6., grad_fn=<SumBackward0>)"),
    (
        "(ones(7, requires_grad=True) * 1.23456).exp()",
        """\
tensor([3.4369, 3.4369, 3.4369, 3.4369, 3.4369, 3.4369, 3.4369],
       grad_fn=<ExpBackward0>)""",
    ),
    (
        "ones(8, 2, dtype=torch.float64, requires_grad=True).t() * 1.5",
        """\
tensor([[1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000],
        [1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000]],
       dtype=torch.float64, grad_fn=<MulBackward0>)""",
    ),
    (
        "ones(3, dtype=torch.complex128, requires_grad=True)",
        "tensor([1.+0.j, 1.+0.j, 1.+0.j], dtype=torch.complex128, requires_grad=True)",
    ),
    (
        "zeros(0, 3, dtype=torch.float64, requires_grad=True)",
        "tensor([], size=(0, 3), dtype=torch.float64, requires_grad=True)",
    ),
]

# print options, an expression, and what it prints
OPTIONS = [
    ("precision=2", "tensor([0.123456, 10.0])", "tensor([ 0.12, 10.00])"),
    ("precision=0", "tensor([0.5, 10.0])", "tensor([ 0, 10])"),
    ("precision=8", "tensor([1/3])", "tensor([0.33333334])"),
    ("threshold=3", "arange(10)", "tensor([0, 1, 2,  ..., 7, 8, 9])"),
    (
        "threshold=3, edgeitems=1",
        "arange(16).reshape(4, 4)",
        """\
tensor([[ 0,  ...,  3],
        ...,
        [12,  ..., 15]])""",
    ),
    ("edgeitems=0, threshold=2", "arange(3)", "tensor([...], size=(3,))"),
    (
        "linewidth=30",
        "arange(20.0)",
        """\
tensor([ 0.,  1.,  2.,  3.,
         4.,  5.,  6.,  7.,
         8.,  9., 10., 11.,
        12., 13., 14., 15.,
        16., 17., 18., 19.])""",
    ),
    (
        "linewidth=40",
        "ones(2, dtype=torch.float64, requires_grad=True) * 0.1",
        """\
tensor([0.1000, 0.1000],
       dtype=torch.float64,
       grad_fn=<MulBackward0>)""",
    ),
    (
        "profile='short'",
        "ones(2, 1000) / 3",
        """\
tensor([[0.33, 0.33,  ..., 0.33, 0.33],
        [0.33, 0.33,  ..., 0.33, 0.33]])""",
    ),
    ("sci_mode=True", "tensor([1.0, 20.0])", "tensor([1.0000e+00, 2.0000e+01])"),
    ("sci_mode=False", "tensor([1e-5, 1e9])", "tensor([         0.0000, 1000000000.0000])"),
    ("sci_mode=True", "tensor(0.5)", "tensor(5.0000e-01)"),
    ("profile='short', precision=3", "tensor([1/3])", "tensor([0.333])"),
]


def value(expression):
    scope = {name: getattr(tl, name) for name in ("arange", "eye", "linspace", "ones", "tensor", "zeros")}
    return eval(expression, {"torch": tl, "nan": math.nan, "inf": math.inf, **scope})


@pytest.fixture
def as_torch():
    """Names print as torch.…, so that lines break where they do in PyTorch."""
    if IS_TENSORLITE:
        from tensorlite import _names

        _names.set_prefix("torch")
    yield
    if IS_TENSORLITE:
        _names.set_prefix("tensorlite")


def ours(text):
    return text.replace("torch.", tl.__name__ + ".")


@pytest.fixture
def default_options():
    tl.set_printoptions(profile="default")
    yield
    tl.set_printoptions(profile="default")


@pytest.mark.parametrize(("expression", "text"), CASES, ids=[c[0] for c in CASES])
def test_text(expression, text, as_torch):
    assert repr(value(expression)) == text


def test_names_are_ours():
    assert repr(tl.zeros(1, dtype=tl.float64)) == ours("tensor([0.], dtype=torch.float64)")
    long = tl.zeros(6, dtype=tl.complex128, requires_grad=True)
    if IS_TENSORLITE:
        assert max(map(len, repr(long).splitlines())) <= 80


@pytest.mark.parametrize(("options", "expression", "text"), OPTIONS, ids=[f"{o}-{e}" for o, e, _ in OPTIONS])
def test_options(options, expression, text, default_options, as_torch):
    eval(f"set_printoptions({options})", {"set_printoptions": tl.set_printoptions})
    assert repr(value(expression)) == text


def test_full_profile_shows_everything(default_options):
    tl.set_printoptions(profile="full")
    text = repr(tl.arange(1001))
    assert "..." not in text
    assert [int(s) for s in text[len("tensor([") : -2].split(",")] == list(range(1001))


def test_str_and_format():
    assert str(tl.tensor([1, 2])) == "tensor([1, 2])"
    assert f"{tl.tensor([1, 2])}" == "tensor([1, 2])"
    assert f"{tl.tensor(2.5):.3f}" == "2.500"
    assert f"{tl.tensor(7):>4}" == "   7"
    with pytest.raises(TypeError):
        f"{tl.tensor([1.0, 2.0]):.3f}"


def test_the_default_dtype_goes_unsaid():
    try:
        tl.set_default_dtype(tl.float64)
        assert repr(tl.zeros(2)) == "tensor([0., 0.])"
        assert repr(tl.zeros(2, dtype=tl.float32)) == ours("tensor([0., 0.], dtype=torch.float32)")
        assert repr(tl.tensor([1j])) == "tensor([0.+1.j])"
        assert repr(tl.tensor([1j], dtype=tl.complex64)) == ours("tensor([0.+1.j], dtype=torch.complex64)")
        assert repr(tl.zeros(0, dtype=tl.float32)) == ours("tensor([], dtype=torch.float32)")
    finally:
        tl.set_default_dtype(tl.float32)


def test_a_view_written_to_prints_its_base_s_node():
    x = tl.ones(2, requires_grad=True).clone()
    x[0] = 5
    assert repr(x) == "tensor([5., 1.], grad_fn=<CopySlices>)"


def test_a_subclass_prints_its_name():
    class Meters(tl.Tensor):
        pass

    assert repr(tl.ones(2).as_subclass(Meters)) == "Meters([1., 1.])"


def test_only_the_ends_of_a_large_tensor_are_read():
    large = tl.zeros(1).expand(10**6, 10**5, 3)  # would not fit into memory
    assert repr(large).startswith(
        "tensor([[[0., 0., 0.],\n         [0., 0., 0.],\n         [0., 0., 0.],\n         ...,"
    )


# ---- against PyTorch ----


def shapes(rng):
    if rng.random() < 0.15:
        return rng.choice(
            [(1001,), (40, 50), (3, 400), (400, 3), (12, 11, 10), (2, 2, 300), (7, 7, 7, 7), (10, 1, 10, 11), (6,) * 4]
        )
    shape = tuple(rng.choice([1, 2, 3, 4, 7] if d else [1, 2, 3, 30]) for d in range(rng.randrange(6)))
    return shape[:3] + (0,) if rng.random() < 0.05 else shape


def floats(rng, shape):
    """Numbers of mixed magnitude, some of them special."""
    kind, scale = rng.randrange(7), 10.0 ** rng.uniform(-12, 12)
    special = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-320] if rng.random() < 0.3 else []
    spread = rng.choice([1, 3, 8, 30, 300])

    def draw():
        if special and rng.random() < 0.2:
            return rng.choice(special)
        x = rng.gauss(0, 1)
        return [
            x,
            float(round(x * 100)),
            x * scale,
            x * 10 ** (rng.random() * spread),
            0.0,
            float(rng.randrange(-1, 2)),
            round(x * 4) / 1000,
        ][kind]

    return [draw() for _ in range(math.prod(shape))]


def draw_tensor(rng):
    """A PyTorch tensor, and what it takes to print it."""
    shape = shapes(rng)
    name = rng.choice(
        ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16"]
        + ["float32", "float64", "complex64", "complex128"] * 2
    )
    dtype = getattr(torch, name)
    if dtype.is_complex:
        values = [complex(a, b) for a, b in zip(floats(rng, shape), floats(rng, shape))]
    elif dtype.is_floating_point:
        values = floats(rng, shape)
    else:
        low, high = (0, 1) if name == "bool" else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
        top = rng.choice([1, 9, 100, high])
        values = [rng.randint(max(low, -top), min(high, top)) for _ in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.complex128 if dtype.is_complex else None).to(dtype).reshape(shape)


CHOICES = [
    {"profile": "short"},
    {"precision": 1},
    {"precision": 7},
    {"linewidth": 20},
    {"linewidth": 120},
    {"threshold": 5},
    {"threshold": 3, "edgeitems": 1},
    {"edgeitems": 0, "threshold": 2},
    {"sci_mode": True},
    {"sci_mode": False},
]


@pytest.mark.parity
@pytest.mark.parametrize("seed", range(4))
def test_text_is_pytorch_s(seed, default_options, as_torch):
    rng = random.Random(seed)
    for _ in range(250):
        theirs = draw_tensor(rng)
        # bfloat16 has no buffer that NumPy knows
        half = theirs.dtype == torch.bfloat16
        mine = tl.tensor(theirs.float().numpy() if half else theirs.numpy())
        mine = mine.bfloat16() if half else mine
        if rng.random() < 0.3 and theirs.dim() > 1:
            theirs, mine = theirs.transpose(0, -1), mine.transpose(0, -1)
        if (theirs.is_floating_point() or theirs.is_complex()) and rng.random() < 0.3:
            theirs, mine = theirs.requires_grad_(), mine.requires_grad_()
            if rng.random() < 0.5:
                theirs, mine = theirs.clone(), mine.clone()
        options = rng.choice([{}] * 10 + CHOICES)
        try:
            for lib in (torch, tl):
                lib.set_printoptions(profile="default")
                lib.set_printoptions(**options)
            assert repr(mine) == repr(theirs)
        finally:
            torch.set_printoptions(profile="default")


@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch keeps them elsewhere")
def test_printoptions_as_a_context(default_options):
    from tensorlite import _tensor_str

    with _tensor_str.printoptions(precision=1):
        assert repr(tl.tensor([0.25])) == "tensor([0.2])"
    assert repr(tl.tensor([0.25])) == "tensor([0.2500])"
    assert _tensor_str.get_printoptions()["precision"] == 4

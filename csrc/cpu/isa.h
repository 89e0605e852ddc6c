#pragma once

// A hot kernel file is compiled once per instruction set with TL_ISA set to its name (CMakeLists.txt), and puts
// everything it defines into `namespace tl::cpu::TL_ISA`. It uses no std:: templates: the linker may merge an inline
// function of two instruction sets into the copy that the machine cannot run.
#ifndef TL_ISA
#error "this file is compiled once per instruction set; TL_ISA names it"
#endif

#if defined(TL_ISA_avx512)
#define TL_VECTOR_BYTES 64
#elif defined(TL_ISA_avx2)
#define TL_VECTOR_BYTES 32
#else
#define TL_VECTOR_BYTES 16
#endif

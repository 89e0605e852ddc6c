"""Products of vectors and matrices, and what is asked of a matrix."""

import torch

torch.set_printoptions(precision=3, sci_mode=False)


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


A = torch.tensor([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
B = torch.arange(6.0).reshape(3, 2)
v, w = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 1.0, -1.0])
print(A @ B, A.mm(B), torch.matmul(A, v), torch.mv(A, v), v @ A, v.dot(w), v @ w, torch.inner(v, w), sep="\n")
print(torch.outer(v, w), torch.ger(v, w), torch.vdot(v, w), torch.linalg.cross(v, w), torch.cross(v, w, dim=0), torch.kron(torch.eye(2), torch.ones(1, 2)), sep="\n")
batch = torch.arange(12.0).reshape(2, 3, 2)
print(torch.bmm(batch, batch.transpose(1, 2)), (batch @ torch.ones(2)).shape, torch.matmul(batch, torch.ones(2, 4)).shape, (torch.ones(3) @ batch).shape, sep="\n")
print(torch.addmm(torch.ones(3, 2), A, B, beta=2, alpha=0.5), torch.addmv(v, A, w), torch.addr(torch.zeros(3, 3), v, w), torch.baddbmm(torch.ones(2, 3, 3), batch, batch.mT)[0], sep="\n")
print(torch.einsum("ij,jk->ik", A, B), torch.einsum("ii", A), torch.einsum("i,j->ij", v, w), torch.einsum("bij,bkj->bik", batch, batch)[1], torch.tensordot(A, B, dims=1), torch.einsum("ij->ji", B), sep="\n")
print((A * A).sum(), A * A, A.T, A.t().equal(A), torch.linalg.multi_dot([A, A, B]), torch.chain_matmul(A, B), sep="\n")
attempt(lambda: A @ B.T)
attempt(lambda: torch.mm(A, v))
attempt(lambda: torch.mm(torch.ones(2, 3), torch.ones(2, 3)))
attempt(lambda: torch.matmul(A, torch.ones(4)))
attempt(lambda: v @ torch.ones(2))
attempt(lambda: torch.dot(A, A))
attempt(lambda: torch.bmm(A, A))
attempt(lambda: torch.bmm(batch, batch))
attempt(lambda: A @ torch.ones(3, 3, dtype=torch.int64))
attempt(lambda: torch.dot(v, torch.tensor([1, 2, 3])))
attempt(lambda: A @ 2)
attempt(lambda: torch.einsum("ij,jk", A, torch.ones(2, 2)))
attempt(lambda: torch.ones(()) @ A)

print("-- norms and distances")
print(torch.norm(v), v.norm(), v.norm(p=1), torch.norm(A, dim=1), A.norm("fro"), torch.norm(v, p=float("inf")), A.norm(2, 0), A.norm(dim=0, keepdim=True).shape, sep="\n")
print(torch.linalg.norm(v), torch.linalg.norm(A), torch.linalg.vector_norm(v, 3), torch.linalg.matrix_norm(A), torch.linalg.matrix_norm(A, 1), torch.linalg.norm(A, 2), torch.abs(v).sum(), sep="\n")
print(torch.cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])), torch.dist(v, w), torch.nn.functional.cosine_similarity(v, w, dim=0), torch.nn.functional.pairwise_distance(v[None], w[None]), sep="\n")

print("-- solving and factors")
print(torch.det(A), torch.linalg.det(A), torch.logdet(A), torch.linalg.slogdet(A), torch.trace(A), A.trace(), torch.linalg.matrix_rank(A), sep="\n")
print(torch.inverse(A), torch.linalg.solve(A, v), torch.linalg.pinv(B), torch.pinverse(B).shape, torch.linalg.lstsq(B, v[:, None]).solution, sep="\n")
L = torch.linalg.cholesky(A)
Q, R = torch.linalg.qr(A)
U, S, Vh = torch.linalg.svd(B, full_matrices=False)
print(L, L @ L.T, torch.allclose(Q @ R, A, atol=1e-5), S, U @ torch.diag(S) @ Vh, torch.linalg.eigvalsh(A), torch.linalg.matrix_power(A, 2), torch.linalg.eigh(A).eigenvalues, sep="\n")
values, vectors = torch.linalg.eig(A)
print(values.real.sort().values, vectors.dtype, torch.linalg.svd(B).S, torch.svd(B).S, torch.linalg.svdvals(B), sep="\n")
attempt(lambda: torch.linalg.inv(B))
attempt(lambda: torch.linalg.inv(torch.zeros(2, 2)))
attempt(lambda: torch.linalg.cholesky(-A))
attempt(lambda: torch.linalg.solve(A, torch.ones(2)))
attempt(lambda: torch.det(v))
attempt(lambda: torch.linalg.inv(torch.eye(2, dtype=torch.int64)))
A.requires_grad_()
torch.linalg.inv(A).sum().backward()
print(A.grad)

print("-- fourier")
s = torch.tensor([1.0, 2.0, 0.0, -1.0])
print(torch.fft.fft(s), torch.fft.ifft(torch.fft.fft(s)).real, torch.fft.rfft(s), torch.fft.irfft(torch.fft.rfft(s)), torch.fft.fftfreq(4), torch.fft.fftshift(torch.arange(4)), torch.fft.fft2(torch.eye(2)), sep="\n")

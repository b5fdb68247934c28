a = <<E
x ${"y ${z}"}
E
b = a::f(
1,
)

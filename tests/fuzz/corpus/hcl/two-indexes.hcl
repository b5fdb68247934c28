日本97 {
  _q7 =true // c
}
for96 =  " %{ if "s" }%{ endif }"?[for x
 in "s" :true if 1.5].1. 2[_q].a : [for x  in "" :""]

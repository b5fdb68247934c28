Hello ${name}%{ if loud }!%{ endif }
%{ for k, v in ports ~}
${k}: ${v}
%{ endfor ~}

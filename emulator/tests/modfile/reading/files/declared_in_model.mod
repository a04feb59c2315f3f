// Names that equations declare, and equations of the static model alone.
varexo u;
parameters g;
model(linear);
  y|e = g*y(-1) + p_y|p*x(-1) + u;
  [name = 'x'] x|e = y + v|x;
  [static] z|e = 2*x;
  [dynamic] z = x(-1) + x;
end;

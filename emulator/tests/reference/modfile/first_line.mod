// --+ options: -DSIZE=3, nostrict, -DWIDE +--
var y unused; varexo e nowhere; parameters r; r = 0.9;
@#ifdef WIDE
model(linear); y = r*y(-1) + @{SIZE}*e; end;
@#endif
shocks; var e; stderr 0.1; end;
stoch_simul(order=1, irf=21, nograph);

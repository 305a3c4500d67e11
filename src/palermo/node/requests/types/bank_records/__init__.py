"""Bank and subscriber records: mutual legal assistance between central authorities (UNTOC Art. 18)."""
